"""Learning classes: the loss of logits, and the metrics of an epoch."""

from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from .. import UserError
from ..inference.classes import Classes


class ClassObjective(nn.Module):
    """Cross-entropy, accuracy and macro F1.

    Args:
        target: The classes.
        loss: `class_weights` (a weight for each class, `balanced`, or None) and `label_smoothing`
            (0 to 1) of the training loss.

    Attributes:
        metrics: The names of the metrics of an epoch, beside its loss.

    Raises:
        UserError: A setting can't work.
    """

    metrics: ClassVar[tuple[str, ...]] = ("accuracy", "f1")
    class_weights: Tensor | None

    def __init__(self, target: Classes, loss: dict[str, Any]) -> None:
        super().__init__()
        self.classes = target.size
        self.balanced = loss.get("class_weights") == "balanced"
        weights, self.label_smoothing = _loss_settings(loss, self.classes)
        # No part of the checkpoint, where only the network's weights belong
        self.register_buffer("class_weights", weights, persistent=False)

    def prepare(self, labels: NDArray[np.int64], like: Tensor) -> None:
        """Weigh the classes by the training labels, where the settings say `balanced`.

        Args:
            labels: Shape (samples,).
            like: A tensor of the device and the type that the weights get.
        """
        if self.balanced:
            counts = torch.bincount(torch.from_numpy(labels), minlength=self.classes)
            weights = len(labels) / (len(counts) * counts.clamp(min=1))
            self.class_weights = weights.to(like)

    def training_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the mean loss of a batch, by the settings."""
        return F.cross_entropy(
            logits, labels, self.class_weights, label_smoothing=self.label_smoothing
        )

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the mean cross-entropy of a batch, in which all samples count alike."""
        return F.cross_entropy(logits, labels)

    def guess(self, logits: Tensor) -> Tensor:
        """Take what the metrics need of logits (batch, classes): a class for each sample."""
        return logits.argmax(dim=1)

    def count(self, guesses: Tensor, labels: Tensor) -> Tensor:
        """Count what the metrics are made of, which processes can add up.

        Returns:
            The samples of each true class (row) and predicted class (column).
        """
        pairs = torch.bincount(labels * self.classes + guesses, minlength=self.classes**2)
        return pairs.view(self.classes, self.classes)

    def measure(self, confusion: Tensor) -> tuple[Tensor, ...]:
        """Compute `metrics` from what `count` returned."""
        return accuracy_and_f1(confusion)


def accuracy_and_f1(confusion: Tensor) -> tuple[Tensor, Tensor]:
    """Compute accuracy and macro F1, 0 to 1, the latter over the classes that occur.

    Args:
        confusion: Samples of each true class (row) and predicted class (column).
    """
    right = confusion.diag()
    occurs = confusion.sum(dim=0) + confusion.sum(dim=1)
    f1 = (2 * right / occurs)[occurs > 0]
    return right.sum() / confusion.sum(), f1.mean()


def _loss_settings(loss: dict[str, Any], classes: int) -> tuple[Tensor | None, float]:
    """Return the class weights that are known before training, and the label smoothing."""
    weights, smoothing = loss.get("class_weights"), loss.get("label_smoothing", 0.0)
    if not (isinstance(smoothing, int | float) and 0 <= smoothing <= 1):
        raise UserError(f"model.loss.label_smoothing is {smoothing!r}: it goes from 0 to 1")
    if weights is None or weights == "balanced":
        return None, smoothing
    if not (
        isinstance(weights, list)
        and len(weights) == classes
        and all(isinstance(weight, int | float) and weight >= 0 for weight in weights)
    ):
        raise UserError(
            f"model.loss.class_weights is {weights}: give null, balanced or {classes} numbers, "
            "one for each class"
        )
    return torch.tensor(weights, dtype=torch.float32), smoothing
