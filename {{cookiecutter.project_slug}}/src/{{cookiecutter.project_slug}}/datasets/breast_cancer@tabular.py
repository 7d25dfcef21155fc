"""The example: scikit-learn's table of breast cancer, which needs no download."""

import csv
from pathlib import Path

import numpy as np

from .base import DataModule, save_split
from .columns import number_column
from .inputs import InputSpec
from .splits import stratified_split


class BreastCancerDataModule(DataModule):
    """scikit-learn's breast cancer table: 30 measures of the cells of 569 tumours, 2 classes.

    Source: https://archive.ics.uci.edu/dataset/17 (Wisconsin diagnostic data, as scikit-learn ships
    them).

    Args:
        folder: Where the prepared arrays lie.
        val_fraction: Share of each class for validation, 0 to 1.
        test_fraction: Share of each class for testing, 0 to 1.
        split_seed: Seed of the split.
        **batches: `batch_size`, `num_workers` and `memory_limit_mb` of `DataModule`.
    """

    def __init__(
        self,
        folder: str = "data/processed/breast_cancer",
        val_fraction: float = 0.1,
        test_fraction: float = 0.2,
        split_seed: int = 0,
        **batches: int,
    ) -> None:
        recipe = {"val": val_fraction, "test": test_fraction, "seed": split_seed}
        super().__init__(folder, recipe, **batches)

    def write_arrays(self, folder: Path) -> tuple[list[str], InputSpec]:
        """Write the splits, and a CSV file with a row of each class to try `predict` on.

        The name of a row is its position in scikit-learn's table, such as `breast_cancer/17`.

        Raises:
            UserError: The fractions leave nothing to train on.
        """
        from sklearn.datasets import load_breast_cancer  # takes a second, only this needs it

        table = load_breast_cancer()
        inputs, labels = table.data.astype(np.float32), table.target.astype(np.int64)
        classes = [str(name) for name in table.target_names]
        fractions = self.recipe["val"], self.recipe["test"]
        splits = stratified_split(labels, *fractions, self.recipe["seed"])
        for split, index in splits.items():
            names = [f"breast_cancer/{position}" for position in index]
            save_split(folder, split, inputs[index], labels[index], names)

        names = [str(name) for name in table.feature_names]
        (folder / "samples").mkdir()
        for label, name in enumerate(classes):
            first = splits["test"][labels[splits["test"]] == label][0]
            path = folder / "samples" / f"{name}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([names, table.data[first].tolist()])
        train = table.data[splits["train"]]
        columns = [number_column(name, train[:, place]) for place, name in enumerate(names)]
        return classes, InputSpec(columns)
