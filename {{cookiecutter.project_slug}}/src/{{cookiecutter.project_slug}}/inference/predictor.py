"""Predictions: the command line, the service and the reports all get theirs from `Predictor`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import UserError
from .runtime import load_model
from .target import Predictions, target_of


@dataclass(frozen=True)
class Answer:
    """What the model says about a sample that may be unreadable.

    Attributes:
        name: The sample, such as the path of its file.
        predictions: The best predictions, the most probable first; none if there is a problem.
        problem: Why the sample can't be read; empty if it was.
    """

    name: str
    predictions: Predictions = ()
    problem: str = ""


class Predictor:
    """Loads a model once and predicts batches of inputs with it.

    Args:
        path: The file of a trained model, as `load_model` takes it.
        device: Where to run, such as `cpu` or `cuda`.
        threads: CPU threads for one batch; 0 leaves the number to the runtime.

    Attributes:
        target: What it predicts, and how an output of the network becomes a prediction.
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
        self.target = target_of(self.classes, self.input_spec)
        self.data = self.model.data
        self.metrics = self.model.metrics
        self.commit = self.model.commit
        self.version = self.model.digest[:12]

    def predict(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Predict a batch: compute what `target.answers` returns, such as probabilities.

        Args:
            inputs: Shape (batch, *input_spec.shape).

        Returns:
            A row for each sample: the probability of each class, of shape (batch, classes).

        Raises:
            UserError: The model answers with NaN.
        """
        answers = self.target.answers(self.model.outputs(inputs))
        if not np.isfinite(answers).all():
            raise UserError(f"{self.path} answers with NaN: train again, at a lower learning rate")
        return answers

    def best(self, inputs: NDArray[Any]) -> Predictions:
        """Name the best prediction for each sample of a batch.

        Args:
            inputs: Shape (batch, *input_spec.shape).
        """
        return self.target.best(self.predict(inputs))

    def rank(self, inputs: NDArray[Any], count: int) -> Sequence[Predictions]:
        """List the best predictions for each sample of a batch, the most probable first.

        Args:
            inputs: Shape (batch, *input_spec.shape).
            count: How many to list, at most.
        """
        return self.target.rank(self.predict(inputs), count)


def answer_each(
    predictor: Predictor,
    names: Sequence[str],
    read: Callable[[int], NDArray[Any]],
    count: int,
    batch_size: int,
) -> Iterator[Answer]:
    """Predict samples that may be unreadable, a batch in memory at a time.

    One that can't be read does not stop the others.

    Args:
        predictor: The model.
        names: The names of the samples.
        read: Returns the input of the sample at a position of `names`; raises a `UserError` that
            says why there is none.
        count: How many predictions to list for each sample, at most.
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
