"""Learning a number: the loss of values, and the metrics of an epoch."""

from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from .. import UserError
from ..inference.number import Number


class NumberObjective(nn.Module):
    """The mean squared error of the standardised target; RMSE, MAE and R2 in its own unit.

    It has the same methods as `ClassObjective`.

    Args:
        target: The number.
        loss: Settings of the loss of classes, none of which may be set.

    Attributes:
        metrics: The names of the metrics of an epoch, beside its loss.

    Raises:
        UserError: A setting is for classes.
    """

    metrics: ClassVar[tuple[str, ...]] = ("rmse", "mae", "r2")

    def __init__(self, target: Number, loss: dict[str, Any]) -> None:
        super().__init__()
        self.mean, self.scale = target.mean, target.scale
        for name, value in loss.items():
            if value:
                raise UserError(
                    f"model.loss.{name} is {value!r}, which is for classes, and the target is a "
                    "number: take loss=cross_entropy"
                )

    def prepare(self, labels: NDArray[np.float32], like: Tensor) -> None:
        """Do nothing: the loss needs nothing of the training rows."""

    def training_loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Compute the mean loss of a batch."""
        return self.loss(outputs, labels)

    def loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Compute the mean squared error of a batch, in deviations of the target."""
        return F.mse_loss(outputs[:, 0] / self.scale, labels / self.scale)

    def guess(self, outputs: Tensor) -> Tensor:
        """Take what the metrics need of outputs (batch, 1): the value of each row."""
        return outputs[:, 0]

    def count(self, guesses: Tensor, labels: Tensor) -> Tensor:
        """Sum up what the metrics are made of, which processes can add up.

        Returns:
            The number of rows, and the sums of squared errors, of errors, of true values and of
            their squares, all of the standardised target.
        """
        true = (labels - self.mean) / self.scale
        errors = (guesses - labels) / self.scale
        ones = torch.ones_like(true)
        return torch.stack([ones, errors**2, errors.abs(), true, true**2]).sum(dim=1)

    def measure(self, sums: Tensor) -> tuple[Tensor, ...]:
        """Compute `metrics` from what `count` returned; R2 is 0 where all true values are equal."""
        count, squares, errors, true, true_squares = sums
        spread = true_squares - true**2 / count
        r2 = torch.where(spread > 0, 1 - squares / spread, torch.zeros_like(spread))
        return (squares / count).sqrt() * self.scale, errors / count * self.scale, r2
