"""A simple model to compare the network with, and which parts of the images the network needs."""

import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from ..datasets.inputs import InputSpec
from .metrics import Labels, Probabilities
from .page import Table

NAME = "logistic regression on the pixels (scikit-learn)"
WHAT_COUNTS = "Which part of an image counts"
PARTS = 3  # to each side


class Baseline:
    """Logistic regression on the pixels.

    Args:
        inputs: Training images, of shape (images, channels, height, width), 0 to 255.
        labels: Their classes, of shape (images,). Each class occurs.
        spec: What the inputs are.
        seed: Of the order in which the images are looked at.
    """

    def __init__(
        self, inputs: NDArray[np.uint8], labels: Labels, spec: InputSpec, seed: int = 0
    ) -> None:
        # More rounds change the weights, but no more than a few predictions
        self.model = LogisticRegression(max_iter=100, random_state=seed)
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            self.model.fit(self.pixels(inputs), labels)

    @staticmethod
    def pixels(inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Flatten images to floats from 0 to 1, of shape (images, pixels)."""
        return np.divide(inputs.reshape(len(inputs), -1), 255, dtype=np.float32)

    def predict(self, inputs: NDArray[np.uint8]) -> Probabilities:
        """Compute the probabilities of images: shape (images, classes)."""
        found: Probabilities = self.model.predict_proba(self.pixels(inputs)).astype(np.float32)
        return found


def what_counts(
    simple: Baseline,
    predict: Callable[[NDArray[Any]], Probabilities],
    inputs: NDArray[np.uint8],
    labels: Labels,
    classes: Sequence[str],
    spec: InputSpec,
) -> Table:
    """Measure the accuracy that the network loses when a part of each image is another image's.

    Source: https://doi.org/10.1023/A:1010933404324 (Breiman 2001, section 10), for parts

    Args:
        simple: The baseline.
        predict: The network: returns probabilities of shape (images, classes).
        inputs: Pixels of shape (images, channels, height, width), 0 to 255.
        labels: True classes, of shape (images,).
        classes: Class names.
        spec: What the inputs are.

    Returns:
        A row for each part: its rows and columns of pixels, and the accuracy that it brings, the
        largest first.
    """
    order = np.random.default_rng(0).permutation(len(inputs))
    whole = (predict(inputs).argmax(axis=1) == labels).mean()
    _, height, width = spec.image_shape
    losses = {}
    for top, bottom in borders(height):
        for left, right in borders(width):
            changed = np.array(inputs)
            changed[:, :, top:bottom, left:right] = inputs[order, :, top:bottom, left:right]
            lost = whole - (predict(changed).argmax(axis=1) == labels).mean()
            place = f"rows {top + 1} to {bottom}, columns {left + 1} to {right}"
            losses[place] = float(lost)
    rows = sorted(losses.items(), key=lambda part: -part[1])
    return Table(["part", "accuracy lost"], rows)


def borders(length: int) -> list[tuple[int, int]]:
    """Cut a side into parts of nearly one length: their first pixel, and the one after the last."""
    places = np.linspace(0, length, min(PARTS, length) + 1).round().astype(int).tolist()
    return list(pairwise(places))
