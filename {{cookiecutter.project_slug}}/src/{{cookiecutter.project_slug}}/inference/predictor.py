"""Predictions: the command line, the service and the reports all get theirs from `Predictor`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import UserError
from ..datasets.inputs import FITS
from .runtime import load_model


@dataclass(frozen=True)
class Prediction:
    """A class that an image may have, and its probability from 0 to 1."""

    label: str
    probability: float


class Predictor:
    """Loads a model once and classifies batches of images with it.

    Args:
        path: The file of a trained model, as `load_model` takes it.
        device: Where to run, such as `cpu` or `cuda`.
        threads: CPU threads for one batch; 0 leaves the number to the runtime.

    Attributes:
        classes: Class names, in the order of the probabilities.
        image_shape: Channels, height and width of the model's images, the sides in pixels.
        fit: How pictures are brought to that shape, one of `FITS`.
        data: Settings of the data set that the model was trained on and the digest of its arrays;
            None in files of before.
        metrics: The model's metrics on the test split, by name.
        commit: The commit of the source that trained the model; None outside a git repository.
        version: The first 12 digits of the file's SHA-256: another content, another version.

    Raises:
        UserError: The file can't be read or is no model of this project, or there is no such
            device.
    """

    def __init__(self, path: Path | str, device: str = "cpu", threads: int = 0) -> None:
        self.path = path
        self.model = load_model(path, device, threads)
        self.classes = self.model.classes
        self.image_shape = self.model.image_shape
        self.fit = self.model.fit
        if self.fit not in FITS:
            raise UserError(f"{path} has fit={self.fit!r}: use the source that trained it")
        self.data = self.model.data
        self.metrics = self.model.metrics
        self.commit = self.model.commit
        self.version = self.model.digest[:12]

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute the probability of each class for each image of a batch.

        Args:
            images: Pixels of shape (batch, *image_shape), 0 to 255.

        Returns:
            Probabilities of shape (batch, classes); each row sums to 1.

        Raises:
            UserError: The model answers with NaN.
        """
        probabilities = softmax(self.model.logits(images))
        if np.isnan(probabilities).any():
            raise UserError(f"{self.path} answers with NaN: train again, at a lower learning rate")
        return probabilities

    def classify(self, images: NDArray[np.uint8]) -> list[Prediction]:
        """Name the most probable class of each image of a batch.

        Args:
            images: Pixels of shape (batch, *image_shape), 0 to 255.
        """
        probabilities = self.probabilities(images)
        best = probabilities.argmax(axis=1).tolist()
        highest = probabilities.max(axis=1).tolist()
        return [
            Prediction(self.classes[label], probability)
            for label, probability in zip(best, highest, strict=True)
        ]

    def rank(self, images: NDArray[np.uint8], count: int) -> list[list[Prediction]]:
        """List the most probable classes of each image of a batch, the most probable first.

        Args:
            images: Pixels of shape (batch, *image_shape), 0 to 255.
            count: How many classes to list, at most.
        """
        probabilities = self.probabilities(images)
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
        return [
            [Prediction(self.classes[k], float(row[k])) for k in best]
            for row, best in zip(probabilities, order, strict=True)
        ]


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn logits of shape (batch, classes) into probabilities of the same shape."""
    with np.errstate(invalid="ignore"):  # an infinite logit makes NaN, which the callers refuse
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))  # no overflow
        probabilities: NDArray[np.float32] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities
