"""How predictions are scored and shown: as classes."""

from ..inference.target import Target
from .classification import Classification

Scoring = Classification


def scoring_of(target: Target) -> Scoring:
    """Return what scores and shows the predictions of a model."""
    return Classification(target.names)
