"""A simple model to compare the network with, and what speaks for each class in it."""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from ..datasets.inputs import InputSpec
from .metrics import Labels, Probabilities
from .page import Table

NAME = "character n-grams with logistic regression (scikit-learn)"
WHAT_COUNTS = "What speaks for a class"


class Baseline:
    """Character n-grams of one to four, weighted by tf-idf, and logistic regression.

    Args:
        inputs: Training texts, of shape (texts, length).
        labels: Their classes, of shape (texts,). Each class occurs.
        spec: What the inputs are.
        seed: Of the order in which the texts are looked at.
    """

    def __init__(
        self, inputs: NDArray[np.int32], labels: Labels, spec: InputSpec, seed: int = 0
    ) -> None:
        self.spec = spec
        self.ngrams = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, lowercase=False
        )
        found = self.ngrams.fit_transform([spec.decode(text) for text in inputs])
        # More rounds change the weights, but no more than a few predictions
        self.model = LogisticRegression(C=10, solver="saga", max_iter=15, random_state=seed)
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            self.model.fit(found, labels)

    def predict(self, inputs: NDArray[np.int32]) -> Probabilities:
        """Compute the probabilities of texts (texts, length): shape (texts, classes)."""
        found = self.ngrams.transform([self.spec.decode(text) for text in inputs])
        probabilities: Probabilities = self.model.predict_proba(found).astype(np.float32)
        return probabilities

    def telling(self, classes: Sequence[str], count: int = 10) -> dict[str, list[str]]:
        """List the n-grams that speak for each class most, the most telling first.

        Args:
            classes: Class names.
            count: How many n-grams to list for each.
        """
        names = self.ngrams.get_feature_names_out()
        weights = self.model.coef_
        if len(weights) == 1:  # of two classes, scikit-learn weighs the second one
            weights = np.concatenate([-weights, weights])
        order = np.argsort(-weights, axis=1)[:, :count]
        return {name: names[best].tolist() for name, best in zip(classes, order, strict=True)}


def what_counts(
    simple: Baseline,
    predict: Callable[[NDArray[np.int32]], Probabilities],
    inputs: NDArray[np.int32],
    labels: Labels,
    classes: Sequence[str],
    spec: InputSpec,
) -> Table:
    """List the n-grams that speak for each class most, in the baseline.

    Args:
        simple: The baseline.
        predict: The network: returns probabilities of shape (texts, classes).
        inputs: Shape (texts, length).
        labels: True classes, of shape (texts,).
        classes: Class names.
        spec: What the inputs are.
    """
    rows = [[name, ", ".join(map(repr, best))] for name, best in simple.telling(classes).items()]
    return Table(["class", "n-grams"], rows)
