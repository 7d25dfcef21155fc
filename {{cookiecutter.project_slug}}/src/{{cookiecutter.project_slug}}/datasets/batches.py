"""Batches of inputs and labels: indexed at once where they fit in memory, else read from disk."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from .. import UserError
from .storage import open_stored

Batch = tuple[Tensor, Tensor]


class TensorBatches:
    """Batches of tensors that fit in memory: one permutation an epoch, one index a batch.

    Args:
        inputs: Shape (samples, *shape of an input).
        labels: Labels of shape (samples,).
        batch_size: Samples in each batch but the last.
        shuffle: Draw a new order at the start of each pass.
        rank: This process among `processes`, from 0; it gets every `processes`-th sample.
        processes: Number of processes that share the pass. Where that leaves a remainder, a
            shuffled pass drops it, so that all processes take the same number of steps.
    """

    def __init__(
        self,
        inputs: Tensor,
        labels: Tensor,
        batch_size: int,
        *,
        shuffle: bool = False,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self.inputs, self.labels = inputs, labels
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.rank, self.processes = rank, processes
        # A generator of its own: from the same seed every process draws the same permutation
        self.generator = torch.Generator().manual_seed(torch.initial_seed())

    def __len__(self) -> int:
        total = len(self.labels)
        if self.shuffle:
            total -= total % self.processes
        share = len(range(self.rank, total, self.processes))
        return math.ceil(share / self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for index in torch.split(self._order(), self.batch_size):
            yield self.inputs[index], self.labels[index]

    def _order(self) -> Tensor:
        total = len(self.labels)
        if not self.shuffle:
            return torch.arange(self.rank, total, self.processes)
        even = total - total % self.processes
        return torch.randperm(total, generator=self.generator)[self.rank : even : self.processes]


class ArrayDataset(Dataset[Batch]):
    """Samples that don't fit in memory: the workers of a `DataLoader` read whole batches from disk.

    Args:
        folder: Where the prepared data lie.
        split: One of `SPLITS`.
        labels: Labels of shape (samples,).
        meta: The description of the data that the labels come from.
    """

    def __init__(
        self, folder: Path, split: str, labels: NDArray[Any], meta: dict[str, Any]
    ) -> None:
        self.folder, self.split = folder, split
        self.labels, self.meta = labels, meta

    def __len__(self) -> int:
        return len(self.labels)

    def __getitems__(self, index: list[int]) -> Batch:
        # Opened here, because `DataLoader` would copy an array to each worker
        stored = open_stored(self.folder, [self.split])
        if stored.meta != self.meta:
            raise UserError(f"{self.folder} was prepared anew while this command read it")
        inputs, _ = stored.arrays[self.split]
        return torch.from_numpy(inputs[index]), torch.from_numpy(self.labels[index])


def keep_batch(batch: Any) -> Any:
    """Collate what `ArrayDataset` returns, which is a batch already.

    A function with a name, because a lambda can't be sent to workers that are spawned.
    """
    return batch
