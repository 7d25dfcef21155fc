"""Fully connected layers: a baseline to beat."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from .. import UserError
from .base import Network


class MLP(Network):
    """Fully connected layers with ReLU between them.

    Args:
        image_shape: Channels, height and width of the input, the sides in pixels.
        num_classes: Number of logits.
        hidden: Width of each hidden layer.
        dropout: Probability of zeroing a hidden unit, 0 to 1.

    Raises:
        UserError: A layer has no units.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int,
        hidden: Sequence[int] = (128, 64),
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        if min(hidden, default=1) < 1:
            raise UserError(f"model.network.hidden is {list(hidden)}: give numbers from 1")
        depth, height, width = image_shape
        widths = [depth * height * width, *hidden]
        layers: list[nn.Module] = [nn.Flatten()]
        for inputs, outputs in pairwise(widths):
            layers += [nn.Linear(inputs, outputs), nn.ReLU(inplace=True), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], num_classes))
