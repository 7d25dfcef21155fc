"""Data: prepared once into arrays on disk, then served in batches without per-sample work."""

import json
import math
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from .. import UserError
from .inputs import read_image

Batch = tuple[Tensor, Tensor]
Splits = dict[str, NDArray[np.int64]]
SPLITS = ("train", "val", "test")
SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


class TensorBatches:
    """Batches of tensors that fit in memory: one permutation an epoch, one index a batch.

    Args:
        images: uint8 pixels of shape (images, channels, height, width), 0 to 255.
        labels: int64 labels of shape (images,).
        batch_size: Images in each batch but the last.
        shuffle: Draw a new order at the start of each pass.
        rank: This process among `processes`, from 0; it gets every `processes`-th image.
        processes: Number of processes that share the pass. Where that leaves a remainder, a
            shuffled pass drops it, so that all processes take the same number of steps.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        batch_size: int,
        *,
        shuffle: bool = False,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self.images, self.labels = images, labels
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.rank, self.processes = rank, processes
        # A generator of its own: from the same seed every process draws the same permutation
        self.generator = torch.Generator().manual_seed(torch.initial_seed())

    def _order(self) -> Tensor:
        total = len(self.labels)
        if not self.shuffle:
            return torch.arange(self.rank, total, self.processes)
        even = total - total % self.processes
        return torch.randperm(total, generator=self.generator)[self.rank : even : self.processes]

    def __len__(self) -> int:
        total = len(self.labels)
        if self.shuffle:
            total -= total % self.processes
        mine = len(range(self.rank, total, self.processes))
        return math.ceil(mine / self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for index in torch.split(self._order(), self.batch_size):
            yield self.images[index], self.labels[index]


class ArrayDataset(Dataset[Batch]):
    """Images too many for memory: whole batches are read from disk by DataLoader workers.

    Args:
        file: Array of uint8 pixels of shape (images, channels, height, width).
        labels: int64 labels of shape (images,).
    """

    def __init__(self, file: Path, labels: NDArray[np.int64]) -> None:
        self.file, self.labels = file, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitems__(self, index: list[int]) -> Batch:
        images = np.load(self.file, mmap_mode="r")  # here, or all of it would be sent to workers
        return torch.from_numpy(images[index]), torch.from_numpy(self.labels[index])


def as_is(batch: Any) -> Any:
    """Collate what is a batch already: no lambda, which can't be sent to spawned workers."""
    return batch


class ImageDataModule(LightningDataModule, ABC):
    """Arrays in `folder`, one pair of files a split, which a subclass knows how to write.

    Args:
        folder: Where the prepared arrays lie.
        recipe: What the arrays depend on; when it changes, they are prepared again.
        batch_size: Images a step.
        num_workers: Processes that read from disk when the images don't fit in memory.
        memory_limit_mb: Splits above this many megabytes stay on disk.
    """

    splits = SPLITS

    def __init__(
        self,
        folder: str,
        recipe: dict[str, Any],
        batch_size: int = 64,
        num_workers: int = 0,
        memory_limit_mb: int = 2000,
    ) -> None:
        super().__init__()
        self.folder = Path(folder)
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.memory_limit = memory_limit_mb * 1_000_000
        self.recipe = recipe

    @abstractmethod
    def write_arrays(self, folder: Path) -> tuple[list[str], list[int]]:
        """Write `<split>_images.npy` and `<split>_labels.npy` for each of `SPLITS`.

        Returns:
            The class names, in the order of the labels, and the image shape (channels, height,
            width).
        """

    def prepare(self) -> None:
        """Write the arrays anew; the old ones stay until the new ones are complete.

        Raises:
            UserError: `folder` holds something else.
        """
        others = self.folder.is_dir() and any(self.folder.iterdir())
        if self.folder.is_file() or (others and not (self.folder / "meta.json").is_file()):
            raise UserError(f"data.folder {self.folder} holds other files: name a new folder")
        partial = self.folder.with_name(f"{self.folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            classes, shape = self.write_arrays(partial)
            meta = {"classes": classes, "image_shape": shape, "recipe": self.recipe}
            (partial / "meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
            shutil.rmtree(self.folder, ignore_errors=True)
            partial.replace(self.folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def prepare_data(self) -> None:
        """Prepare the arrays unless they are there and made by the same recipe."""
        if not self.is_prepared():
            self.prepare()

    def is_prepared(self) -> bool:
        """Say whether the arrays are there and made by this recipe."""
        return (self.folder / "meta.json").is_file() and self._meta()["recipe"] == self.recipe

    @property
    def classes(self) -> list[str]:
        """Class names, in the order of the labels."""
        classes: list[str] = self._meta()["classes"]
        return classes

    @property
    def image_shape(self) -> list[int]:
        """Channels, height and width of an image, the sides in pixels."""
        shape: list[int] = self._meta()["image_shape"]
        return shape

    def arrays(self, split: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Open a split without reading it.

        Returns:
            Memory-mapped uint8 pixels (images, channels, height, width) and int64 labels (images,).
        """
        images = np.load(self.folder / f"{split}_images.npy", mmap_mode="r")
        return images, np.load(self.folder / f"{split}_labels.npy")

    def train_dataloader(self) -> TensorBatches | DataLoader[Batch]:
        """Shuffled batches; in order when the trainer overfits on a few of them."""
        overfit = getattr(self.trainer, "overfit_batches", 0) != 0
        return self._batches("train", shuffle=not overfit)

    def val_dataloader(self) -> TensorBatches | DataLoader[Batch]:
        """Batches in order."""
        return self._batches("val")

    def test_dataloader(self) -> TensorBatches | DataLoader[Batch]:
        """Batches in order."""
        return self._batches("test")

    def _meta(self) -> dict[str, Any]:
        meta: dict[str, Any] = json.loads((self.folder / "meta.json").read_text("utf-8"))
        return meta

    def _batches(self, split: str, *, shuffle: bool = False) -> TensorBatches | DataLoader[Batch]:
        images, labels = self.arrays(split)
        if images.nbytes > self.memory_limit:
            return DataLoader(
                ArrayDataset(self.folder / f"{split}_images.npy", labels),
                batch_size=self.batch_size,
                shuffle=shuffle,
                num_workers=self.num_workers,
                collate_fn=as_is,
                persistent_workers=self.num_workers > 0,
            )
        return TensorBatches(
            torch.from_numpy(np.array(images)),
            torch.from_numpy(labels),
            self.batch_size,
            shuffle=shuffle,
            rank=self.trainer.global_rank if self.trainer else 0,
            processes=self.trainer.world_size if self.trainer else 1,
        )


class DigitsDataModule(ImageDataModule):
    """scikit-learn's handwritten digits: 1,797 grey images of 8 x 8 pixels in 10 classes.

    Source: https://archive.ics.uci.edu/dataset/80 (its test set, as scikit-learn ships it).

    Args:
        folder: Where the prepared arrays lie.
        val_fraction: Share of each class for validation, 0 to 1.
        test_fraction: Share of each class for testing, 0 to 1.
        split_seed: Seed of the split.
        **batches: `batch_size`, `num_workers` and `memory_limit_mb` of `ImageDataModule`.
    """

    def __init__(
        self,
        folder: str = "data/processed/digits",
        val_fraction: float = 0.1,
        test_fraction: float = 0.2,
        split_seed: int = 0,
        **batches: int,
    ) -> None:
        recipe = {"val": val_fraction, "test": test_fraction, "seed": split_seed}
        super().__init__(folder, recipe, **batches)

    def write_arrays(self, folder: Path) -> tuple[list[str], list[int]]:
        """Write the splits, and one picture of each class to try `predict` on.

        Raises:
            UserError: The fractions leave nothing to train on.
        """
        from sklearn.datasets import load_digits  # takes a second, and only this method needs it

        digits = load_digits()
        images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
        labels = digits.target.astype(np.int64)
        classes = [str(name) for name in digits.target_names]
        fractions = self.recipe["val"], self.recipe["test"]
        splits = stratified_split(labels, *fractions, self.recipe["seed"])
        for split, index in splits.items():
            np.save(folder / f"{split}_images.npy", images[index])
            np.save(folder / f"{split}_labels.npy", labels[index])

        (folder / "samples").mkdir()
        for label, name in enumerate(classes):
            first = splits["test"][labels[splits["test"]] == label][0]
            Image.fromarray(images[first, 0]).save(folder / "samples" / f"{name}.png")
        return classes, [1, 8, 8]


class ImageFolderDataModule(ImageDataModule):
    """Any folder of pictures with one sub-folder per class, resized and stored as arrays.

    Where `source` holds just the folders `train`, `val` and `test`, these are the splits, each
    with one sub-folder per class; else the splits are made.

    Args:
        source: The folder of pictures.
        folder: Where the prepared arrays lie.
        image_shape: Channels (1: grey, 3: RGB), height and width in pixels to store.
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
        val_fraction: float = 0.1,
        test_fraction: float = 0.2,
        split_seed: int = 0,
        **batches: int,
    ) -> None:
        self.source = Path(source)
        recipe = {
            "source": self.source.as_posix(),
            "image_shape": list(image_shape),
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
            files = {split: _label(found[split]) for split in SPLITS}
        else:
            pictures = find_pictures(self.source)
            classes = sorted(pictures)
            paths, labels = _label(pictures)
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
                images[i] = read_image(path, shape)
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


def stratified_split(
    labels: NDArray[np.int64],
    val_fraction: float,
    test_fraction: float,
    seed: int,
    classes: Sequence[str] | None = None,
) -> Splits:
    """Split each class in the same proportions, with at least one image of it in every split.

    Args:
        labels: int64 labels of shape (images,).
        val_fraction: Share for validation, 0 to 1.
        test_fraction: Share for testing, 0 to 1.
        seed: Seed of the draw.
        classes: Class names, for the error message.

    Returns:
        For each of `SPLITS`, the sorted positions of its images.

    Raises:
        UserError: The fractions leave nothing to train on, or a class has under three images.
    """
    if min(val_fraction, test_fraction) <= 0 or val_fraction + test_fraction >= 1:
        raise UserError("data.val_fraction and data.test_fraction: above 0, and together below 1")
    generator = np.random.default_rng(seed)
    parts: dict[str, list[NDArray[np.int64]]] = {split: [] for split in SPLITS}
    for label in np.unique(labels):
        index = generator.permutation(np.flatnonzero(labels == label))
        if len(index) < 3:
            name = classes[label] if classes else label
            raise UserError(f"class {name} has {len(index)} images: each needs three at least")
        test = max(1, round(len(index) * test_fraction))
        val = max(1, min(round(len(index) * val_fraction), len(index) - test - 1))
        test = min(test, len(index) - val - 1)
        parts["test"].append(index[:test])
        parts["val"].append(index[test : test + val])
        parts["train"].append(index[test + val :])
    return {split: np.sort(np.concatenate(pieces)) for split, pieces in parts.items()}


def _label(pictures: dict[str, list[Path]]) -> tuple[list[Path], NDArray[np.int64]]:
    paths = [path for name in sorted(pictures) for path in pictures[name]]
    counts = [len(pictures[name]) for name in sorted(pictures)]
    return paths, np.repeat(np.arange(len(counts), dtype=np.int64), counts)
