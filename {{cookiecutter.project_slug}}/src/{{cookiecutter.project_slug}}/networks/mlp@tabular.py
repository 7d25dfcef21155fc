"""Fully connected layers."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from torch import nn

from .. import UserError
from .base import Network


class MLP(Network):
    """Fully connected layers with ReLU between them.

    Args:
        columns: The columns of the table, with the statistics of the training rows.
        num_classes: Number of outputs: one for each class, and one for a number.
        hidden: Width of each hidden layer.
        dropout: Probability of zeroing a hidden unit, 0 to 1.
        embedding: Most numbers that stand for a category.

    Raises:
        UserError: A layer has no units.
    """

    def __init__(
        self,
        columns: Sequence[Mapping[str, Any]],
        num_classes: int,
        hidden: Sequence[int] = (128, 64),
        dropout: float = 0.2,
        embedding: int = 8,
    ) -> None:
        for name, value in {"hidden": min(hidden, default=1), "embedding": embedding}.items():
            if value < 1:
                raise UserError(f"model.network.{name} holds {value}: give numbers from 1")
        super().__init__(columns, embedding)
        widths = [self.width, *hidden]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Linear(inputs, outputs), nn.ReLU(inplace=True), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], num_classes))
