"""The networks. Each takes pixels as they are stored, so preprocessing travels with the weights."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from .. import UserError


class Network(nn.Module):
    """Maps pixels to logits: scales them to 0..1 and runs `layers`."""

    layers: nn.Sequential

    def forward(self, images: Tensor) -> Tensor:
        """Classify a batch.

        Args:
            images: uint8 pixels of shape (batch, channels, height, width), 0 to 255.

        Returns:
            Logits of shape (batch, classes).
        """
        logits: Tensor = self.layers(images.float() / 255)
        return logits


class CNN(Network):
    """A stack of convolution, batch normalisation, ReLU and pooling stages, then one linear layer.

    Args:
        image_shape: Channels, height and width of the input, the sides in pixels.
        num_classes: Number of logits.
        channels: Output channels of each stage; every stage halves height and width.
        dropout: Probability of zeroing a feature before the linear layer, 0 to 1.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int,
        channels: Sequence[int] = (32, 64),
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        depth, height, width = image_shape
        if min(height, width) < 2 ** len(channels):
            raise UserError(
                f"pictures of {height} x {width} pixels are too small for {len(channels)} stages: "
                "shorten model.network.channels or enlarge the pictures"
            )
        stages: list[nn.Module] = []
        for inputs, outputs in zip([depth, *channels], channels, strict=False):
            stages += [
                nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(2),
            ]
        halvings = 2 ** len(channels)
        features = channels[-1] * (height // halvings) * (width // halvings)
        self.layers = nn.Sequential(
            *stages, nn.Flatten(), nn.Dropout(dropout), nn.Linear(features, num_classes)
        )


class MLP(Network):
    """Fully connected layers with ReLU between them.

    Args:
        image_shape: Channels, height and width of the input, the sides in pixels.
        num_classes: Number of logits.
        hidden: Width of each hidden layer.
        dropout: Probability of zeroing a hidden unit, 0 to 1.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int,
        hidden: Sequence[int] = (128, 64),
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        depth, height, width = image_shape
        widths = [depth * height * width, *hidden]
        layers: list[nn.Module] = [nn.Flatten()]
        for inputs, outputs in zip(widths, hidden, strict=False):
            layers += [nn.Linear(inputs, outputs), nn.ReLU(inplace=True), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], num_classes))


NETWORKS: dict[str, type[Network]] = {"cnn": CNN, "mlp": MLP}


def build_network(
    name: str, image_shape: Sequence[int], num_classes: int, **options: Any
) -> Network:
    """Make a network from plain values, such as those a checkpoint holds.

    Raises:
        UserError: `name` is not in `NETWORKS`, or the network has no such option.
    """
    if name not in NETWORKS:
        raise UserError(f"model.network.name is {name!r}; there are: {', '.join(NETWORKS)}")
    try:
        return NETWORKS[name](image_shape, num_classes, **options)
    except TypeError as error:
        raise UserError(f"model.network: {error}") from None
