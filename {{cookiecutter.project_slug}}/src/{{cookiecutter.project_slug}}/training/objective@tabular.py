"""What a network learns: classes, or a number."""

from typing import Any

from ..inference.classes import Classes
from ..inference.target import Target
from .classification import ClassObjective
from .regression import NumberObjective

Objective = ClassObjective | NumberObjective


def objective_of(target: Target, loss: dict[str, Any]) -> Objective:
    """Return the loss and the metrics for what a network learns.

    Raises:
        UserError: A setting of the loss can't work.
    """
    if isinstance(target, Classes):
        return ClassObjective(target, loss)
    return NumberObjective(target, loss)
