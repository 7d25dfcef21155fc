"""What all data sets share: arrays that are written once, and the batches of each split."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
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
from .inputs import InputSpec
from .splits import SPLITS
from .storage import Stored, alone, digest_of, is_stored, open_stored, read_meta, replacing


class DataModule(LightningDataModule, ABC):
    """The base class of the data sets: a subclass says how its arrays are written.

    What an object has once read of its data stays as it is, even when another process prepares
    them anew: test samples never come from another split than training samples.

    Args:
        folder: Where the prepared arrays lie: for each split a file of inputs and one of labels.
        recipe: The settings that the arrays depend on, as values that JSON can hold; when one
            changes, the arrays are prepared again.
        batch_size: Samples in a step.
        num_workers: Processes that read from disk when the inputs don't fit in memory.
        memory_limit_mb: Splits above this many megabytes stay on disk.

    Raises:
        UserError: An option can't work.
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
        counts = {"batch_size": batch_size, "num_workers": num_workers}
        counts["memory_limit_mb"] = memory_limit_mb
        for name, value in counts.items():
            least = int(name == "batch_size")
            if not isinstance(value, int) or value < least:
                raise UserError(f"data.{name} is {value!r}: give a whole number, {least} at least")
        if not folder or Path(folder).name in {"", ".."}:
            raise UserError(f"data.folder is {folder!r}: name a new folder")
        self.folder = Path(folder).expanduser()
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.memory_limit = memory_limit_mb * 1_000_000
        self.recipe = recipe
        self._stored: Stored | None = None

    @abstractmethod
    def write_arrays(self, folder: Path) -> tuple[list[str], InputSpec]:
        """Write the inputs and the labels of each of `SPLITS`, as `save_split` does.

        Args:
            folder: An empty folder, which takes the place of `self.folder` when this returns.

        Returns:
            The class names, in the order of the labels, and what the inputs are.
        """

    def describe_source(self) -> str | None:
        """Describe the files that the arrays are made from, in a text that changes with them.

        Returns:
            A short text; None where there are no files to look at: then the arrays count.
        """
        return None

    def prepare_anew(self) -> None:
        """Write the arrays, even over prepared ones, which stay until the new ones are complete.

        Raises:
            UserError: `folder` holds other files, or a file can't be read or written.
        """
        with alone(self.folder):
            self._write()

    def prepare_data(self) -> None:
        """Write the arrays unless they are there, made by the same recipe of the same files.

        Raises:
            UserError: As for `prepare_anew`.
        """
        if self._stored or self.is_prepared():
            return
        with alone(self.folder):
            reason = self.outdated()  # or has another process prepared them meanwhile?
            if reason:
                if is_stored(self.folder):
                    print(f"{self.folder}: {reason}, so the data are prepared anew")
                self._write()

    def is_prepared(self) -> bool:
        """Say whether the arrays are there, made by this recipe of the source as it is now."""
        return not self.outdated()

    def outdated(self) -> str:
        """Say why the arrays have to be prepared; an empty text if they don't."""
        if not is_stored(self.folder):
            return "nothing is prepared yet"
        meta = read_meta(self.folder)
        new, old = self.recipe, meta["recipe"]
        changed = [key for key in sorted(new | old) if new.get(key) != old.get(key)]
        if changed:
            return f"the settings changed ({', '.join(changed)})"
        source = self.describe_source()
        if source and source != meta.get("source"):
            return "the files of the source changed"
        return ""

    @property
    def classes(self) -> list[str]:
        """Class names, in the order of the labels."""
        classes: list[str] = self._open().meta["classes"]
        return classes

    @property
    def label_kind(self) -> str:
        """What is true of samples, as the end of a sentence."""
        return f"in {len(self.classes)} classes"

    @property
    def input_spec(self) -> InputSpec:
        """What the inputs are, and how a sample becomes one: predictions do the same."""
        return InputSpec(**self._open().meta["input_spec"])

    @property
    def digest(self) -> str:
        """SHA-256 of the labels and inputs of all splits: other data, another digest."""
        digest: str = self._open().meta["digest"]
        return digest

    def names(self, split: str) -> list[str]:
        """Name the source of each sample of a split, in the order of the arrays.

        Returns:
            Names such as that of a file; where the data set stores none, positions such as
            `test/17`.

        Raises:
            UserError: Another process has prepared the data anew.
        """
        inputs, _ = self.arrays(split)
        stored = self.folder / f"{split}_names.json"
        if not stored.is_file():
            return [f"{split}/{number}" for number in range(len(inputs))]
        names: list[str] = json.loads(stored.read_text("utf-8"))
        if read_meta(self.folder) != self._open().meta:
            raise UserError(f"{self.folder} was prepared anew meanwhile: run the command again")
        return names

    def arrays(self, split: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Open a split without reading its inputs.

        Returns:
            Memory-mapped inputs (samples, *input_spec.shape) and labels (samples,).

        Raises:
            UserError: The arrays are not prepared, or incomplete.
        """
        inputs, labels = self._open().arrays[split]
        return inputs, np.array(labels)

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

    def _open(self) -> Stored:
        if self._stored is None:
            self._stored = open_stored(self.folder)
        return self._stored

    def _write(self) -> None:
        others = self.folder.is_dir() and any(self.folder.iterdir())
        if self.folder.is_file() or (others and not is_stored(self.folder)):
            raise UserError(f"data.folder {self.folder} holds other files: name a new folder")
        self._stored = None
        with replacing(self.folder) as partial:
            source = self.describe_source()  # before it is read: a later change is noticed
            classes, input_spec = self.write_arrays(partial)
            meta = {
                "classes": classes,
                "input_spec": asdict(input_spec),
                "recipe": self.recipe,
                "source": source,
                "digest": digest_of(partial),
            }
            (partial / "meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")

    def _batches(self, split: str, *, shuffle: bool = False) -> TensorBatches | DataLoader[Batch]:
        inputs, labels = self.arrays(split)
        if inputs.nbytes > self.memory_limit:
            return DataLoader(
                ArrayDataset(self.folder, split, labels, self._open().meta),
                batch_size=self.batch_size,
                shuffle=shuffle,
                num_workers=self.num_workers,
                collate_fn=keep_batch,
                persistent_workers=self.num_workers > 0,
            )
        return TensorBatches(
            torch.from_numpy(np.array(inputs)),
            torch.from_numpy(labels),
            self.batch_size,
            shuffle=shuffle,
            rank=self.trainer.global_rank if self.trainer else 0,
            processes=self.trainer.world_size if self.trainer else 1,
        )


def save_split(
    folder: Path,
    split: str,
    inputs: NDArray[Any],
    labels: NDArray[Any],
    names: Sequence[str] | None = None,
) -> None:
    """Write a split, for `DataModule.write_arrays`.

    Args:
        folder: The folder that `write_arrays` was given.
        split: One of `SPLITS`.
        inputs: Shape (samples, *shape of an input), of the type that the network takes.
        labels: The number of each sample's class, from 0, of shape (samples,).
        names: Where each sample comes from, for reports.
    """
    np.save(folder / f"{split}_inputs.npy", inputs)
    np.save(folder / f"{split}_labels.npy", labels)
    if names is not None:
        text = json.dumps(list(names))
        (folder / f"{split}_names.json").write_text(text, encoding="utf-8")


def build_data(settings: DictConfig | dict[str, Any]) -> DataModule:
    """Make the data module that a configuration or a checkpoint describes.

    Args:
        settings: `_target_`, the dotted name of a class in this package, and its arguments.

    Raises:
        UserError: There is no such class, or it has no such arguments.
    """
    options = plain_settings(settings)
    # A checkpoint holds them too, so Hydra's `instantiate`, which calls anything, must not see them
    target = options.pop("_target_", None)
    found: type[DataModule] = find_class(target, str(__package__), DataModule, "data")
    try:
        return found(**options)
    except TypeError as error:
        if "unexpected keyword" in str(error) or "missing" in str(error):
            raise UserError(f"data: {error}") from error
        raise


def plain_settings(settings: DictConfig | dict[str, Any]) -> dict[str, Any]:
    """Copy settings into plain dictionaries, lists and values, which a checkpoint can hold."""
    if not isinstance(settings, DictConfig):
        return dict(settings)
    plain: Any = OmegaConf.to_container(settings, resolve=True, throw_on_missing=True)
    return dict(plain)
