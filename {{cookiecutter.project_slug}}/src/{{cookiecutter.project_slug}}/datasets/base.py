"""What all data sets share: arrays that are written once, and the batches of each split."""

import hashlib
import json
import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader

from .. import UserError
from ..lookup import find_class
from .batches import ArrayDataset, Batch, TensorBatches, keep_batch
from .splits import SPLITS


class ImageDataModule(LightningDataModule, ABC):
    """The base class of the data sets: a subclass says how its arrays are written.

    Args:
        folder: Where the prepared arrays lie: for each split a file of images and one of labels.
        recipe: The settings that the arrays depend on, as values that JSON can hold; when one
            changes, the arrays are prepared again.
        batch_size: Images in a step.
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

        Images are uint8 pixels of shape (images, channels, height, width), 0 to 255; labels are
        int64 numbers of shape (images,), from 0. A `<split>_files.json`, a list of text for each
        split, may say where each image comes from.

        Args:
            folder: An empty folder, which takes the place of `self.folder` when this returns.

        Returns:
            The class names, in the order of the labels, and the image shape (channels, height,
            width).
        """

    def prepare_anew(self) -> None:
        """Write the arrays, even over prepared ones, which stay until the new ones are complete.

        Raises:
            UserError: `folder` holds other files.
        """
        others = self.folder.is_dir() and any(self.folder.iterdir())
        if self.folder.is_file() or (others and not (self.folder / "meta.json").is_file()):
            raise UserError(f"data.folder {self.folder} holds other files: name a new folder")
        partial = self.folder.with_name(f"{self.folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            classes, shape = self.write_arrays(partial)
            meta = {
                "classes": classes,
                "image_shape": shape,
                "recipe": self.recipe,
                "digest": digest_of(partial),
            }
            (partial / "meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
            shutil.rmtree(self.folder, ignore_errors=True)
            partial.replace(self.folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def prepare_data(self) -> None:
        """Write the arrays unless they are there and made by the same recipe."""
        if not self.is_prepared():
            self.prepare_anew()

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

    @property
    def fit(self) -> str:
        """How pictures were brought to `image_shape`, one of `FITS`: predictions do the same."""
        fit: str = self._meta()["recipe"].get("fit", "stretch")
        return fit

    @property
    def digest(self) -> str:
        """SHA-256 of the labels and images of all splits: other data, another digest."""
        digest: str = self._meta().get("digest") or digest_of(self.folder)
        return digest

    def files(self, split: str) -> list[str]:
        """Name the source of each image of a split, in the order of the arrays.

        Returns:
            File names relative to the source of the data; where the data set stores none,
            positions such as `test/17`.
        """
        stored = self.folder / f"{split}_files.json"
        if not stored.is_file():
            return [f"{split}/{number}" for number in range(len(self.arrays(split)[1]))]
        names: list[str] = json.loads(stored.read_text("utf-8"))
        return names

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
                collate_fn=keep_batch,
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


def digest_of(folder: Path) -> str:
    """Compute the SHA-256 of the labels and images that a folder holds."""
    digest = hashlib.sha256()
    for split in SPLITS:
        for kind in ("labels", "images"):
            array = np.load(folder / f"{split}_{kind}.npy", mmap_mode="r")
            digest.update(f"{split} {kind} {array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def build_data(settings: DictConfig | dict[str, Any]) -> ImageDataModule:
    """Make the data module that a configuration or a checkpoint describes.

    Args:
        settings: `_target_`, the dotted name of a class in this package, and its arguments.

    Raises:
        UserError: There is no such class, or it can't work with these arguments.
    """
    options = plain_settings(settings)
    # A checkpoint holds them too, so Hydra's `instantiate`, which calls anything, must not see them
    target, parent = options.pop("_target_", None), ImageDataModule
    found = find_class(target, str(__package__), parent, "data")  # type: ignore[type-abstract]
    try:
        return found(**options)
    except (TypeError, ValueError) as error:
        raise UserError(f"data: {error}") from error


def plain_settings(settings: DictConfig | dict[str, Any]) -> dict[str, Any]:
    """Copy settings into plain dictionaries, lists and values, which a checkpoint can hold."""
    if not isinstance(settings, DictConfig):
        return dict(settings)
    plain: Any = OmegaConf.to_container(settings, resolve=True, throw_on_missing=True)
    return dict(plain)
