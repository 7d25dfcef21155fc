"""Random changes of training texts, a batch at a time and on the device where it is."""

import torch
from torch import Tensor

from .. import UserError
from ..datasets.inputs import InputSpec


class Augmentation:
    """Changes each text of a batch at random, as a hand that types in a hurry does.

    The draws come from PyTorch's generator on the CPU, which `seed` sets.

    Args:
        spec: What the inputs are.
        drop: Probability that a character (or token) is left out, 0 to below 1. A text keeps one
            at least.
        swap: Probability that a character changes its place with the next one, 0 to 1.

    Raises:
        UserError: A value is out of its range.
    """

    def __init__(self, spec: InputSpec, drop: float = 0.0, swap: float = 0.0) -> None:
        for name, value in {"drop": drop, "swap": swap}.items():
            if not (isinstance(value, int | float) and 0 <= value <= 1) or drop == 1:
                raise UserError(f"model.augmentation.{name} is {value!r}: it goes from 0 to 1")
        self.drop, self.swap = drop, swap

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return changed copies of int32 texts (batch, length), padded with 0 at the end."""
        if self.swap:
            inputs = swap(inputs, self._draw(inputs, self.swap))
        if self.drop:
            inputs = drop(inputs, self._draw(inputs, self.drop))
        return inputs

    @staticmethod
    def _draw(inputs: Tensor, probability: float) -> Tensor:
        return (torch.rand(inputs.shape) < probability).to(inputs.device)


def swap(inputs: Tensor, chosen: Tensor) -> Tensor:
    """Exchange numbers with the next one of their text.

    Args:
        inputs: Numbers of shape (batch, length), padded with 0 at the end.
        chosen: Which of them, of the same shape. Of two neighbours, the first one counts, and one
            before the padding stays.
    """
    here, following = inputs[:, :-1], inputs[:, 1:]
    first = chosen[:, :-1] & (following != 0)
    # No number takes part in two exchanges: of neighbours, those at even places go first
    even = torch.arange(first.shape[1], device=inputs.device) % 2 == 0
    first &= even
    changed = inputs.clone()
    changed[:, :-1] = torch.where(first, following, here)
    changed[:, 1:] = torch.where(first, here, changed[:, 1:])
    return changed


def drop(inputs: Tensor, chosen: Tensor) -> Tensor:
    """Leave numbers out, and move the rest of their text together.

    Args:
        inputs: Numbers of shape (batch, length), padded with 0 at the end.
        chosen: Which of them, of the same shape. The first one of a text stays.
    """
    gone = chosen.clone()
    gone[:, 0] = False
    left = inputs.masked_fill(gone, 0)
    order = torch.argsort((left == 0).int(), dim=1, stable=True)  # padding to the end
    return left.gather(1, order)
