"""What a model predicts: one of its classes, or a number."""

from collections.abc import Sequence

from ..datasets.inputs import InputSpec
from .classes import Classes, Prediction
from .number import Number, Value

Target = Classes | Number
Predictions = Sequence[Prediction] | Sequence[Value]


def target_of(classes: Sequence[str], spec: InputSpec) -> Target:
    """Return what a model with these classes and inputs predicts: a number if there are none."""
    return Number(spec.target) if spec.target else Classes(classes)
