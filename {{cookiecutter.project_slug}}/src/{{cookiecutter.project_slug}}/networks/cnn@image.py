"""A small convolutional network."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from .. import UserError
from .base import Network


class CNN(Network):
    """A stack of convolution, batch normalisation, ReLU and pooling stages, then one linear layer.

    Args:
        image_shape: Channels, height and width of the input, the sides in pixels.
        num_classes: Number of logits.
        channels: Output channels of each stage; every stage halves height and width.
        dropout: Probability of zeroing a feature before the linear layer, 0 to 1.

    Raises:
        UserError: A stage has no channels, or the images are too small for so many stages.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int,
        channels: Sequence[int] = (32, 64),
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        if not channels or min(channels) < 1:
            raise UserError(f"model.network.channels is {list(channels)}: give numbers from 1")
        depth, height, width = image_shape
        shrink = 2 ** len(channels)
        if min(height, width) < shrink:
            raise UserError(
                f"pictures of {height} x {width} pixels are too small for {len(channels)} stages: "
                "shorten model.network.channels or enlarge the pictures"
            )
        stages: list[nn.Module] = []
        for inputs, outputs in pairwise([depth, *channels]):
            stages += [
                nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(2),
            ]
        features = channels[-1] * (height // shrink) * (width // shrink)
        self.layers = nn.Sequential(
            *stages, nn.Flatten(), nn.Dropout(dropout), nn.Linear(features, num_classes)
        )
