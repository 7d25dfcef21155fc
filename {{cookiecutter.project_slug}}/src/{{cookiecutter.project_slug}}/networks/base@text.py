"""What all networks share: they take texts as they are stored."""

import torch
from torch import Tensor, nn


class Network(nn.Module):
    """Maps texts as they are stored to logits, without the padding that all of a batch share.

    A subclass sets `layers`.
    """

    layers: nn.Module

    def forward(self, inputs: Tensor) -> Tensor:
        """Classify a batch.

        Args:
            inputs: int32 numbers of shape (batch, length), padded with 0 at the end; `layers` get
                them as int64, cut to the longest text of the batch.

        Returns:
            Logits of shape (batch, classes).
        """
        numbers = inputs.long()
        if not torch.compiler.is_compiling():  # a compiled or exported graph can't look at values
            longest = int((numbers != 0).any(dim=0).sum())
            numbers = numbers[:, : max(1, longest)]
        logits: Tensor = self.layers(numbers)
        return logits


class Trimmed(Network):
    """Any other module that maps int64 numbers to logits, as a `Network`."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers


def as_network(module: nn.Module) -> Network:
    """Make a `Network` of any module that maps int64 numbers (batch, length) to logits."""
    return module if isinstance(module, Network) else Trimmed(module)
