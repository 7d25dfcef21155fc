"""How predictions are scored and shown: as classes, or as numbers."""

from ..inference.classes import Classes
from ..inference.target import Target
from .classification import Classification
from .regression import Regression

Scoring = Classification | Regression


def scoring_of(target: Target) -> Scoring:
    """Return what scores and shows the predictions of a model."""
    return Classification(target.names) if isinstance(target, Classes) else Regression(target)
