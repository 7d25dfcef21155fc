"""A simple model to compare the network with, and which columns the network needs."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from ..datasets.inputs import InputSpec
from .metrics import Labels, Probabilities
from .page import Table

NAME = "gradient-boosted trees (scikit-learn's HistGradientBoostingClassifier)"
WHAT_COUNTS = "Which columns count"
MOST_CATEGORIES = 255  # that it can take in one column
ROUNDS = 5  # permutations of each column


class Baseline:
    """Gradient-boosted trees, with the settings that scikit-learn has by default.

    Args:
        inputs: Training rows, of shape (rows, columns).
        labels: Their classes, of shape (rows,). Each class occurs.
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
        self.trees = HistGradientBoostingClassifier(
            categorical_features=categorical, random_state=seed
        )
        self.trees.fit(inputs, labels)

    def probabilities(self, inputs: NDArray[np.float32]) -> Probabilities:
        """Compute the probabilities of rows (rows, columns): shape (rows, classes)."""
        probabilities: Probabilities = self.trees.predict_proba(inputs).astype(np.float32)
        return probabilities


def what_counts(
    simple: Baseline,
    predict: Callable[[NDArray[np.float32]], Probabilities],
    inputs: NDArray[np.float32],
    labels: Labels,
    classes: Sequence[str],
    spec: InputSpec,
) -> Table:
    """List the columns with the accuracy that the network loses without their values.

    Args:
        simple: The baseline.
        predict: The network: returns probabilities of shape (rows, classes).
        inputs: Shape (rows, columns).
        labels: True classes, of shape (rows,).
        classes: Class names.
        spec: What the inputs are.
    """
    found = importance(predict, inputs, labels, spec)
    return Table(["column", "accuracy lost", "deviation"], found)


def importance(
    predict: Callable[[NDArray[np.float32]], Probabilities],
    inputs: NDArray[np.float32],
    labels: Labels,
    spec: InputSpec,
    seed: int = 0,
) -> list[tuple[str, float, float]]:
    """Measure the accuracy that a model loses when the values of one column change places.

    Of columns that say nearly the same, each may look needless, as the model has the others.

    Source: https://doi.org/10.1023/A:1010933404324 (Breiman 2001, section 10)

    Args:
        predict: Returns probabilities of shape (rows, classes).
        inputs: Shape (rows, columns).
        labels: True classes, of shape (rows,).
        spec: What the inputs are.
        seed: Of the permutations.

    Returns:
        For each column its name, and the mean and the standard deviation of the loss over `ROUNDS`
        permutations, the largest mean first.
    """
    generator = np.random.default_rng(seed)

    def accuracy(rows: NDArray[np.float32]) -> float:
        return float((predict(rows).argmax(axis=1) == labels).mean())

    whole = accuracy(inputs)
    found = []
    for place, name in enumerate(spec.names):
        losses = []
        for _ in range(ROUNDS):
            rows = np.array(inputs)
            generator.shuffle(rows[:, place])
            losses.append(whole - accuracy(rows))
        found.append((name, float(np.mean(losses)), float(np.std(losses))))
    return sorted(found, key=lambda one: -one[1])
