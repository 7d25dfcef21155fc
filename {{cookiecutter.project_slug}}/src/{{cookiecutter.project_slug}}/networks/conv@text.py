"""Convolutions over characters or tokens."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .. import UserError
from .base import Network


class Conv(Network):
    """An embedding of each character or token, convolutions, the highest values of a text, linear.

    Source: https://arxiv.org/abs/1408.5882

    Args:
        vocabulary_size: Numbers that characters or tokens can have, with 0 for padding.
        num_classes: Number of logits.
        rows: Rows of the table of embeddings, at most: where there are more numbers, as there are
            of characters, several share a row.
        dimension: Width of an embedding.
        widths: Characters or tokens that a convolution sees at once; one convolution for each.
        channels: Output channels of each convolution.
        dropout: Probability of zeroing a feature before the linear layer, 0 to 1.

    Raises:
        UserError: A number is too small.
    """

    def __init__(
        self,
        vocabulary_size: int,
        num_classes: int,
        rows: int = 5000,
        dimension: int = 64,
        widths: Sequence[int] = (2, 3, 4, 5),
        channels: int = 128,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        if not widths or min(widths) < 1:
            raise UserError(f"model.network.widths is {list(widths)}: give numbers from 1")
        for name, value in {"rows": rows, "dimension": dimension, "channels": channels}.items():
            if value < 2:
                raise UserError(f"model.network.{name} is {value}: give a number from 2")
        self.layers = nn.Sequential(
            Windows(min(rows, vocabulary_size), dimension, widths, channels),
            nn.Dropout(dropout),
            nn.Linear(channels * len(widths), num_classes),
        )


class Windows(nn.Module):
    """The highest value of each channel of each convolution, over all places of a text.

    Args:
        rows: Rows of the table of embeddings; row 0 stays zero, for padding.
        dimension: Width of an embedding.
        widths: Numbers that a convolution sees at once; one convolution for each.
        channels: Output channels of each convolution.
    """

    def __init__(self, rows: int, dimension: int, widths: Sequence[int], channels: int) -> None:
        super().__init__()
        self.rows = rows
        self.embedding = nn.Embedding(rows, dimension, padding_idx=0)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(dimension, channels, width, padding=width // 2) for width in widths
        )

    def forward(self, numbers: Tensor) -> Tensor:
        """Map int64 numbers (batch, length) to floats (batch, channels of all convolutions)."""
        padding = (numbers == 0).unsqueeze(1)
        shared = ((numbers - 1) % (self.rows - 1) + 1).masked_fill(numbers == 0, 0)
        embedded = self.embedding(shared).transpose(1, 2)
        highest = []
        for convolution in self.convolutions:
            # One place for each number: a convolution of even width makes one more
            found = convolution(embedded)[:, :, : numbers.shape[1]].relu()
            # No value is below 0, so that padding, which counts as 0, never wins
            highest.append(found.masked_fill(padding, 0).amax(dim=2))
        return torch.cat(highest, dim=1)
