"""Random changes of training rows, a batch at a time and on the device where it is."""

import math

import torch
from torch import Tensor

from .. import UserError
from ..datasets.inputs import InputSpec


class Augmentation:
    """Changes each row of a batch at random: shifts its numbers, hides some of its values.

    The draws come from PyTorch's generator on the CPU, which `seed` sets.

    Args:
        spec: The columns of the rows.
        noise: Standard deviation of what is added to each number, as a share of the deviation of
            its column, 0 to 1.
        missing: Probability that a value is hidden, 0 to 1, in the columns that training rows lack.

    Raises:
        UserError: A value is out of its range.
    """

    def __init__(self, spec: InputSpec, noise: float = 0.0, missing: float = 0.0) -> None:
        for name, value in {"noise": noise, "missing": missing}.items():
            if not (isinstance(value, int | float) and 0 <= value <= 1):
                raise UserError(f"model.augmentation.{name} is {value!r}: it goes from 0 to 1")
        columns = spec.columns
        shifts = [noise * c["deviation"] if c["kind"] == "number" else 0.0 for c in columns]
        self.shift = torch.tensor(shifts)
        self.hide = torch.tensor([missing if c["missing"] else 0.0 for c in columns])
        hidden = [0.0 if c["kind"] == "category" else math.nan for c in columns]
        self.hidden = torch.tensor(hidden)

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return changed copies of float32 rows (batch, columns)."""
        shifts = self.shift * torch.randn(inputs.shape)
        hide = torch.rand(inputs.shape) < self.hide
        shifted = inputs + shifts.to(inputs.device)
        return torch.where(hide.to(inputs.device), self.hidden.to(inputs.device), shifted)
