"""What the tests of data sets read: small pictures, and a data set of numbered images."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from {{ cookiecutter.project_slug }}.datasets.base import ImageDataModule
from {{ cookiecutter.project_slug }}.datasets.splits import stratified_split


def draw(path: Path, color: object = 0, mode: str = "RGB", size: tuple[int, int] = (9, 7)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)


def draw_classes(folder: Path, count: int) -> None:
    """Draw a class of red and a class of blue pictures, each with another share of green."""
    for number in range(count):
        draw(folder / "blue" / f"{number}.png", (0, 10 * number, 255))
        draw(folder / "red" / f"{number}.jpg", (255, 10 * number, 0))


def pictures() -> list[str]:
    draw_classes(Path("pictures"), 10)
    return ["data.source=pictures"]


# For each data set of configs/data/ that reads files: a function that writes some to the current
# folder, and returns the options that name them
SOURCES: dict[str, Callable[[], list[str]]] = {"image_folder": pictures}


def data_options(name: str) -> list[str]:
    """Write what a data set of configs/data/ reads: the options that choose it."""
    files = SOURCES[name]() if name in SOURCES else []
    return [f"data={name}", *files]


class NumberedImages(ImageDataModule):
    """Grey images, each with its number in all pixels, in two classes."""

    def __init__(self, folder: str = "numbered", images: int = 100, **batches: int) -> None:
        super().__init__(folder, {"images": images}, **batches)

    def write_arrays(self, folder: Path) -> tuple[list[str], list[int]]:
        numbers = np.arange(self.recipe["images"])
        images = np.tile(numbers.astype(np.uint8)[:, None, None, None], (1, 1, 8, 8))
        for split, index in stratified_split(numbers % 2, 0.1, 0.2, seed=0).items():
            np.save(folder / f"{split}_images.npy", images[index])
            np.save(folder / f"{split}_labels.npy", numbers[index] % 2)
        return ["even", "odd"], [1, 8, 8]
