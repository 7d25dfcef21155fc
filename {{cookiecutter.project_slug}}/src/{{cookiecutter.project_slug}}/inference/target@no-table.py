"""What a model predicts: one of its classes."""

from collections.abc import Sequence

from ..datasets.inputs import InputSpec
from .classes import Classes, Prediction

Target = Classes
Predictions = Sequence[Prediction]


def target_of(classes: Sequence[str], spec: InputSpec) -> Target:
    """Return what a model with these classes and inputs predicts."""
    return Classes(classes)
