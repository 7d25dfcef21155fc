"""Predictions of a run's best checkpoint on the test split, for the tracker to show."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pytorch_lightning import Trainer

from ..evaluation.metrics import in_batches
from ..evaluation.plots import result_figures
from ..inference.predictor import Predictor


@dataclass(frozen=True)
class Results:
    """Predictions and scores of the best checkpoint.

    Attributes:
        checkpoint: Its file.
        scores: Metrics of the test split by name, such as `test/accuracy`.
        classes: Class names, in the order of the labels.
        images: uint8 pixels of shape (images, channels, height, width), 0 to 255.
        labels: int64 labels of shape (images,).
        probabilities: float32 values of shape (images, classes).
        figures: The confusion matrix, samples and the worst mistakes, by name.
    """

    checkpoint: str
    scores: dict[str, float]
    classes: list[str]
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
    images, labels = data.arrays("test")
    predictor = Predictor(checkpoints.best_model_path)
    probabilities = in_batches(predictor.probabilities, images, data.batch_size)
    return Results(
        checkpoint=checkpoints.best_model_path,
        scores={name: float(value) for name, value in trainer.callback_metrics.items()},
        classes=data.classes,
        images=images,
        labels=labels,
        probabilities=probabilities,
        figures=result_figures(images, labels, probabilities, data.classes, pictures),
    )
