"""Predictions: the command line, the service and the reports all get theirs from `Predictor`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import UserError
from .runtime import load_model


@dataclass(frozen=True)
class Prediction:
    """A class that a sample may have, and its probability from 0 to 1."""

    label: str
    probability: float


@dataclass(frozen=True)
class Answer:
    """What the model says about a sample that may be unreadable.

    Attributes:
        name: The sample, such as the path of its file.
        predictions: Its most probable classes, the most probable first; none if there is a problem.
        problem: Why the sample can't be read; empty if it was.
    """

    name: str
    predictions: Sequence[Prediction] = ()
    problem: str = ""


class Predictor:
    """Loads a model once and classifies batches of inputs with it.

    Args:
        path: The file of a trained model, as `load_model` takes it.
        device: Where to run, such as `cpu` or `cuda`.
        threads: CPU threads for one batch; 0 leaves the number to the runtime.

    Attributes:
        classes: Class names, in the order of the probabilities.
        input_spec: What the inputs are, and how a sample becomes one.
        data: Settings of the data set that the model was trained on and the digest of its arrays;
            None where it was trained without one.
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
        self.input_spec = self.model.input_spec
        self.data = self.model.data
        self.metrics = self.model.metrics
        self.commit = self.model.commit
        self.version = self.model.digest[:12]

    def probabilities(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Compute the probability of each class for each sample of a batch.

        Args:
            inputs: Shape (batch, *input_spec.shape).

        Returns:
            Probabilities of shape (batch, classes); each row sums to 1.

        Raises:
            UserError: The model answers with NaN.
        """
        probabilities = softmax(self.model.logits(inputs))
        if np.isnan(probabilities).any():
            raise UserError(f"{self.path} answers with NaN: train again, at a lower learning rate")
        return probabilities

    def classify(self, inputs: NDArray[Any]) -> list[Prediction]:
        """Name the most probable class of each sample of a batch.

        Args:
            inputs: Shape (batch, *input_spec.shape).
        """
        probabilities = self.probabilities(inputs)
        best = probabilities.argmax(axis=1).tolist()
        highest = probabilities.max(axis=1).tolist()
        return [
            Prediction(self.classes[label], probability)
            for label, probability in zip(best, highest, strict=True)
        ]

    def rank(self, inputs: NDArray[Any], count: int) -> list[list[Prediction]]:
        """List the most probable classes of each sample of a batch, the most probable first.

        Args:
            inputs: Shape (batch, *input_spec.shape).
            count: How many classes to list, at most.
        """
        probabilities = self.probabilities(inputs)
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
        return [
            [Prediction(self.classes[k], float(row[k])) for k in best]
            for row, best in zip(probabilities, order, strict=True)
        ]


def answer_each(
    predictor: Predictor,
    names: Sequence[str],
    read: Callable[[int], NDArray[Any]],
    count: int,
    batch_size: int,
) -> Iterator[Answer]:
    """Classify samples that may be unreadable, a batch in memory at a time.

    One that can't be read does not stop the others.

    Args:
        predictor: The model.
        names: The names of the samples.
        read: Returns the input of the sample at a position of `names`; raises a `UserError` that
            says why there is none.
        count: How many classes to list for each sample, at most.
        batch_size: Samples in each batch but the last.

    Yields:
        One answer for each sample, in order.
    """
    for start in range(0, len(names), batch_size):
        inputs, problems = [], {}
        places = range(start, min(start + batch_size, len(names)))
        for place in places:
            try:
                inputs.append(read(place))
            except UserError as error:
                problems[place] = str(error)
        ranked = iter(predictor.rank(np.stack(inputs), count) if inputs else [])
        for place in places:
            if place in problems:
                yield Answer(names[place], problem=problems[place])
            else:
                yield Answer(names[place], next(ranked))


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn logits of shape (batch, classes) into probabilities of the same shape."""
    with np.errstate(invalid="ignore"):  # an infinite logit makes NaN, which the callers refuse
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))  # no overflow
        probabilities: NDArray[np.float32] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities
