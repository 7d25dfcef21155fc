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

from ..evaluation.metrics import in_batches
from ..evaluation.plots import result_figures
from ..inference.predictor import Predictor

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Results:
    """Predictions and scores of the best checkpoint.

    Attributes:
        checkpoint: Its file.
        scores: Metrics of the test split by name, such as `test/accuracy`.
        classes: Class names, in the order of the labels.
        files: The file of each image.
        images: uint8 pixels of shape (images, channels, height, width), 0 to 255.
        labels: int64 labels of shape (images,).
        probabilities: float32 values of shape (images, classes).
        figures: The confusion matrix, samples and the worst mistakes, by name.
    """

    checkpoint: str
    scores: dict[str, float]
    classes: list[str]
    files: list[str]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    figures: dict[str, Figure]


def best_results(trainer: Trainer, pictures: int) -> Results:
    """Run the best checkpoint of a run on its test split.

    Args:
        trainer: A trainer that has tested this checkpoint.
        pictures: How many sample predictions, and how many mistakes at most, are drawn.
    """
    data: Any = trainer.datamodule  # type: ignore[attr-defined]
    checkpoints: Any = trainer.checkpoint_callback
    (images, labels), files = data.arrays("test"), data.files("test")
    predictor = Predictor(checkpoints.best_model_path)
    probabilities = in_batches(predictor.probabilities, images, data.batch_size)
    return Results(
        checkpoint=checkpoints.best_model_path,
        scores={name: float(value) for name, value in trainer.callback_metrics.items()},
        classes=data.classes,
        files=files,
        images=images,
        labels=labels,
        probabilities=probabilities,
        figures=result_figures(images, labels, probabilities, data.classes, files, pictures),
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
