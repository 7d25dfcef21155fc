"""A simple model to compare the network with, and which columns the network needs."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from ..datasets.inputs import InputSpec
from ..inference.target import target_of
from .metrics import Labels, Predicted
from .page import Table
from .scoring import Scoring, scoring_of

NAME = "gradient-boosted trees (scikit-learn's HistGradientBoosting)"
WHAT_COUNTS = "Which columns count"
MOST_CATEGORIES = 255  # that it can take in one column
ROUNDS = 5  # permutations of each column


class Baseline:
    """Gradient-boosted trees, with the settings that scikit-learn has by default.

    Args:
        inputs: Training rows, of shape (rows, columns).
        labels: Their classes, of which each occurs, or numbers, of shape (rows,).
        spec: What the inputs are.
        seed: Of the draws.
    """

    def __init__(
        self, inputs: NDArray[np.float32], labels: Labels, spec: InputSpec, seed: int = 0
    ) -> None:
        categorical = [
            column["kind"] == "category" and len(column["categories"]) < MOST_CATEGORIES
            for column in spec.columns
        ]
        trees = HistGradientBoostingRegressor if spec.target else HistGradientBoostingClassifier
        self.trees = trees(categorical_features=categorical, random_state=seed)
        self.trees.fit(inputs, labels)

    def predict(self, inputs: NDArray[np.float32]) -> Predicted:
        """Predict rows (rows, columns): probabilities (rows, classes), or numbers (rows,)."""
        trees = self.trees
        answer = trees.predict_proba if hasattr(trees, "predict_proba") else trees.predict
        predicted: Predicted = answer(inputs).astype(np.float32)
        return predicted


def what_counts(
    simple: Baseline,
    predict: Callable[[NDArray[np.float32]], Predicted],
    inputs: NDArray[np.float32],
    labels: Labels,
    classes: Sequence[str],
    spec: InputSpec,
) -> Table:
    """List the columns with the accuracy, or R2, that the network loses without their values.

    Args:
        simple: The baseline.
        predict: The network: predicts rows (rows, columns).
        inputs: Shape (rows, columns).
        labels: True classes or numbers, of shape (rows,).
        classes: Class names.
        spec: What the inputs are.
    """
    scoring = scoring_of(target_of(classes, spec))
    found = importance(predict, inputs, labels, spec, scoring)
    return Table(["column", f"{scoring.quality.name} lost", "deviation"], found)


def importance(
    predict: Callable[[NDArray[np.float32]], Predicted],
    inputs: NDArray[np.float32],
    labels: Labels,
    spec: InputSpec,
    scoring: Scoring,
    seed: int = 0,
) -> list[tuple[str, float, float]]:
    """Measure the quality that a model loses when the values of one column change places.

    Of columns that say nearly the same, each may look needless, as the model has the others.

    Source: https://doi.org/10.1023/A:1010933404324 (Breiman 2001, section 10)

    Args:
        predict: Predicts rows (rows, columns).
        inputs: Shape (rows, columns).
        labels: True classes or numbers, of shape (rows,).
        spec: What the inputs are.
        scoring: How predictions are scored.
        seed: Of the permutations.

    Returns:
        For each column its name, and the mean and the standard deviation of the loss over `ROUNDS`
        permutations, the largest mean first.
    """
    generator = np.random.default_rng(seed)

    quality = scoring.quality

    def score(rows: NDArray[np.float32]) -> float:
        return scoring.score(predict(rows), labels)[quality.name]

    whole = score(inputs)
    found = []
    for place, name in enumerate(spec.names):
        losses = []
        for _ in range(ROUNDS):
            rows = np.array(inputs)
            generator.shuffle(rows[:, place])
            losses.append(quality.lost(whole, score(rows)))
        found.append((name, float(np.mean(losses)), float(np.std(losses))))
    return sorted(found, key=lambda one: -one[1])
