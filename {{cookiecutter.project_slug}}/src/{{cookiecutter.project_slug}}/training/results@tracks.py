"""Predictions of a run's best checkpoint on the test split, for the tracker to show."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pytorch_lightning import Trainer

from ..datasets.inputs import InputSpec
from ..evaluation.metrics import in_batches
from ..evaluation.scoring import scoring_of
from ..inference.predictor import Predictor

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Results:
    """Predictions and scores of the best checkpoint.

    Attributes:
        checkpoint: Its file.
        scores: Metrics of the test split by name, such as `test/accuracy`.
        classes: Class names, in the order of the labels.
        spec: What the inputs are.
        inputs: Shape (samples, *spec.shape).
        labels: Labels of shape (samples,).
        header: The columns of `answers`.
        answers: A row for each sample: where it comes from, what is true and what was predicted.
        hardest: The positions of the samples, the one that was predicted worst first.
        figures: The figures of the evaluation, by name.
    """

    checkpoint: str
    scores: dict[str, float]
    classes: list[str]
    spec: InputSpec
    inputs: NDArray[Any]
    labels: NDArray[np.int64]
    header: list[str]
    answers: list[list[Any]]
    hardest: NDArray[np.int64]
    figures: dict[str, Figure]


def best_results(trainer: Trainer, samples: int) -> Results:
    """Run the best checkpoint of a run on its test split.

    Args:
        trainer: A trainer that has tested this checkpoint.
        samples: How many sample predictions, and how many mistakes at most, are drawn.
    """
    data: Any = trainer.datamodule  # type: ignore[attr-defined]
    checkpoints: Any = trainer.checkpoint_callback
    (inputs, labels), names = data.arrays("test"), data.names("test")
    predictor = Predictor(checkpoints.best_model_path)
    predicted = in_batches(predictor.predict, inputs, data.batch_size)
    scoring = scoring_of(predictor.target)
    header, answers = scoring.answers(names, labels, predicted)
    return Results(
        checkpoint=checkpoints.best_model_path,
        scores={name: float(value) for name, value in trainer.callback_metrics.items()},
        classes=data.classes,
        spec=data.input_spec,
        inputs=inputs,
        labels=labels,
        header=header,
        answers=answers,
        hardest=scoring.hardest(predicted, labels),
        figures=scoring.figures(inputs, data.input_spec, labels, predicted, names, samples),
    )


@contextmanager
def only_warn(tracker: str) -> Iterator[None]:
    """Turn an error of the block into a warning: it must not cost a run its trained model.

    Args:
        tracker: Name of the tracker that the block sends results to.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001  trackers and figures may raise anything
        reason = " ".join(str(error).split())
        log.warning("%s lacks results of this run: %s: %s", tracker, type(error).__name__, reason)
