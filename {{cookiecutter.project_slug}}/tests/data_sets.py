"""What the tests of data sets share: a data set of numbered samples, and files for the others."""

from pathlib import Path

import example
import numpy as np
from sources import SOURCES

from {{ cookiecutter.project_slug }}.datasets.base import DataModule, save_split
from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec
from {{ cookiecutter.project_slug }}.datasets.splits import stratified_split


def data_options(name: str) -> list[str]:
    """Write what a data set of configs/data/ reads; return the options that choose it."""
    files = SOURCES[name]() if name in SOURCES else []
    return [f"data={name}", *files]


def change(name: str) -> None:
    """Write other files than `data_options` did, which make one sample more of each class."""
    SOURCES[name](1)


class NumberedSamples(DataModule):
    """Samples with their number in all places, from 1, in two classes."""

    def __init__(self, folder: str = "numbered", samples: int = 100, **batches: int) -> None:
        super().__init__(folder, {"samples": samples}, **batches)

    def write_arrays(self, folder: Path) -> tuple[list[str], InputSpec]:
        numbers = np.arange(1, self.recipe["samples"] + 1)
        inputs = np.ones((len(numbers), *example.SPEC.shape), example.SPEC.dtype)
        inputs *= numbers.astype(inputs.dtype).reshape(-1, *[1] * len(example.SPEC.shape))
        for split, index in stratified_split(numbers % 2, 0.1, 0.2, seed=0).items():
            save_split(folder, split, inputs[index], numbers[index] % 2)
        return ["even", "odd"], example.SPEC
