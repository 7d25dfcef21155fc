"""Logistic or linear regression: a baseline to beat."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from .base import Network


class Linear(Network):
    """Logistic regression, or linear regression of a number: outputs are weighted sums.

    Args:
        columns: The columns of the table, with the statistics of the training rows.
        num_classes: Number of outputs: one for each class, and one for a number.
    """

    def __init__(self, columns: Sequence[Mapping[str, Any]], num_classes: int) -> None:
        # So many numbers for a category say as much as a weight for each category and class
        super().__init__(columns, embedding=num_classes)
        self.layers = nn.Linear(self.width, num_classes)
