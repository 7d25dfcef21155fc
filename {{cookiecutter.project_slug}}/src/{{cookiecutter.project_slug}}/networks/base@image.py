"""What all networks share: they take pixels as they are stored."""

import torch
from torch import Tensor, nn


class Network(nn.Module):
    """Maps pixels as they are stored to logits, so that the scaling travels with the weights.

    A subclass sets `layers`.
    """

    layers: nn.Module

    def forward(self, inputs: Tensor) -> Tensor:
        """Classify a batch.

        Args:
            inputs: uint8 pixels of shape (batch, channels, height, width), 0 to 255; `layers` get
                them as floats from 0 to 1.

        Returns:
            Logits of shape (batch, classes).
        """
        logits: Tensor = self.layers(inputs.float() / 255)
        return logits


class Scaled(Network):
    """Any other module that maps floats from 0 to 1 to logits, as a `Network`."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers


def as_network(module: nn.Module) -> Network:
    """Make a `Network` of any module that maps floats from 0 to 1 to logits."""
    network = module if isinstance(module, Network) else Scaled(module)
    # Convolutions are faster where the channels of a pixel lie side by side
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network
