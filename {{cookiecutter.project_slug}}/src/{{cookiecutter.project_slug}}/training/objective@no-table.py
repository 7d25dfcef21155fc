"""What a network learns: classes."""

from typing import Any

from ..inference.target import Target
from .classification import ClassObjective

Objective = ClassObjective


def objective_of(target: Target, loss: dict[str, Any]) -> Objective:
    """Return the loss and the metrics for what a network learns.

    Raises:
        UserError: A setting of the loss can't work.
    """
    return ClassObjective(target, loss)
