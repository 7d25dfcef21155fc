"""Any folder of pictures with one sub-folder for each class."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from .. import UserError
from .base import ImageDataModule
from .inputs import SUFFIXES, check_fit, read_image
from .splits import SPLITS, stratified_split


class ImageFolderDataModule(ImageDataModule):
    """Any folder of pictures with one sub-folder for each class, resized and stored as arrays.

    Where `source` holds just the folders `train`, `val` and `test`, these are the splits, each
    with one sub-folder for each class; else the splits are made.

    Args:
        source: The folder of pictures.
        folder: Where the prepared arrays lie.
        image_shape: Channels (1: grey, 3: RGB), height and width in pixels to store.
        fit: How pictures of another shape are brought to that, one of `FITS`.
        val_fraction: Share of each class for validation, 0 to 1.
        test_fraction: Share of each class for testing, 0 to 1.
        split_seed: Seed of the split.
        **batches: `batch_size`, `num_workers` and `memory_limit_mb` of `ImageDataModule`.
    """

    def __init__(
        self,
        source: str,
        folder: str = "data/processed/image_folder",
        image_shape: Sequence[int] = (3, 32, 32),
        fit: str = "pad",
        val_fraction: float = 0.1,
        test_fraction: float = 0.2,
        split_seed: int = 0,
        **batches: int,
    ) -> None:
        check_fit(fit)
        self.source = Path(source)
        recipe = {
            "source": self.source.as_posix(),
            "image_shape": list(image_shape),
            "fit": fit,
            "val": val_fraction,
            "test": test_fraction,
            "seed": split_seed,
        }
        super().__init__(folder, recipe, **batches)

    def write_arrays(self, folder: Path) -> tuple[list[str], list[int]]:
        """Read and resize every picture of `source`.

        Raises:
            UserError: `source` is no folder of classes, a class has too few pictures, the splits
                have different classes, the fractions leave nothing to train on, or a file is no
                picture.
        """
        if not self.source.is_dir():
            raise UserError(f"data.source {self.source} is no folder")
        shape: list[int] = self.recipe["image_shape"]
        names = {
            path.name for path in self.source.iterdir() if path.is_dir() and path.name[0] != "."
        }
        if names == set(SPLITS):
            found = {split: find_pictures(self.source / split) for split in SPLITS}
            classes = sorted(found["train"])
            for split in SPLITS:
                if sorted(found[split]) != classes:
                    raise UserError(f"{self.source / split} has other classes than train")
            files = {split: with_labels(found[split]) for split in SPLITS}
        else:
            pictures = find_pictures(self.source)
            classes = sorted(pictures)
            paths, labels = with_labels(pictures)
            fractions = self.recipe["val"], self.recipe["test"]
            splits = stratified_split(labels, *fractions, self.recipe["seed"], classes)
            files = {
                split: ([paths[i] for i in index], labels[index]) for split, index in splits.items()
            }
        for split, (paths, labels) in files.items():
            np.save(folder / f"{split}_labels.npy", labels)
            images = np.lib.format.open_memmap(
                folder / f"{split}_images.npy", "w+", np.uint8, (len(paths), *shape)
            )
            for i, path in enumerate(tqdm(paths, f"reading {split}", disable=None)):
                images[i] = read_image(path, shape, self.recipe["fit"])
            sources = [path.relative_to(self.source).as_posix() for path in paths]
            (folder / f"{split}_files.json").write_text(json.dumps(sources), encoding="utf-8")
        return classes, shape


def find_pictures(folder: Path) -> dict[str, list[Path]]:
    """List the pictures of each sub-folder, sorted by name.

    Raises:
        UserError: A sub-folder holds no pictures, or there are fewer than two.
    """
    classes = {
        path.name: sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
        for path in sorted(folder.iterdir())
        if path.is_dir() and not path.name.startswith(".")
    }
    empty = [name for name, pictures in classes.items() if not pictures]
    if empty:
        raise UserError(f"{folder / empty[0]} holds no pictures ({', '.join(sorted(SUFFIXES))})")
    if len(classes) < 2:
        raise UserError(f"{folder} needs at least two sub-folders, one for each class")
    return classes


def with_labels(pictures: dict[str, list[Path]]) -> tuple[list[Path], NDArray[np.int64]]:
    """List all pictures, with the number of their class in the order of the names.

    Args:
        pictures: The pictures of each class.

    Returns:
        Paths, and int64 labels of shape (pictures,).
    """
    paths = [path for name in sorted(pictures) for path in pictures[name]]
    counts = [len(pictures[name]) for name in sorted(pictures)]
    return paths, np.repeat(np.arange(len(counts), dtype=np.int64), counts)
