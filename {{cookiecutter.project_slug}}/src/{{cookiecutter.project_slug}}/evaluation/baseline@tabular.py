"""What the network is compared with, and which columns it needs."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from ..datasets.inputs import InputSpec
from .metrics import Labels, Probabilities

NAME = "gradient-boosted trees (scikit-learn's HistGradientBoostingClassifier)"
MOST_CATEGORIES = 255  # that it can take in one column
ROUNDS = 5  # permutations of each column


def baseline(
    train_inputs: NDArray[np.float32],
    train_labels: Labels,
    test_inputs: NDArray[np.float32],
    spec: InputSpec,
    seed: int = 0,
) -> Probabilities:
    """Train gradient-boosted trees, with the settings that scikit-learn has by default.

    Args:
        train_inputs: Shape (rows, columns).
        train_labels: Their classes, of shape (rows,). Each class occurs.
        test_inputs: Shape (rows, columns).
        spec: What the inputs are.
        seed: Of the draws.

    Returns:
        Probabilities of the test rows, of shape (rows, classes).
    """
    categorical = [
        column["kind"] == "category" and len(column["categories"]) < MOST_CATEGORIES
        for column in spec.columns
    ]
    trees = HistGradientBoostingClassifier(categorical_features=categorical, random_state=seed)
    trees.fit(train_inputs, train_labels)
    probabilities: Probabilities = trees.predict_proba(test_inputs).astype(np.float32)
    return probabilities


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
