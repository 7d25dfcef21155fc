"""Evaluation: metrics on the test split, and the reports and pictures that explain them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hydra.utils import instantiate
from matplotlib.figure import Figure
from numpy.typing import NDArray
from omegaconf import DictConfig
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from .. import UserError
from ..datasets.base import ImageDataModule
from ..inference.predictor import Predictor
from .plots import (
    confusion_matrix_figure,
    learning_curves_figure,
    predictions_figure,
)

Probabilities = NDArray[np.float32]
Labels = NDArray[np.int64]


def evaluate(cfg: DictConfig) -> dict[str, float]:
    """Evaluate a checkpoint on the test split and write the reports.

    Args:
        cfg: `configs/evaluate.yaml`, composed.

    Returns:
        Loss (mean cross-entropy in nats), accuracy and macro F1, the last two from 0 to 1.

    Raises:
        UserError: The checkpoint is missing, or does not fit the data.
    """
    predictor = Predictor(cfg.checkpoint, cfg.device)
    images, labels = open_data(cfg, predictor.classes, predictor.image_shape).arrays("test")
    probabilities = in_batches(predictor.probabilities, images, cfg.data.batch_size)
    metrics = compute_metrics(probabilities, labels)

    reports = Path(cfg.reports)
    reports.mkdir(parents=True, exist_ok=True)
    (reports / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    write_per_class(reports / "per_class.csv", probabilities, labels, predictor.classes)
    figures = result_figures(images, labels, probabilities, predictor.classes, cfg.pictures)
    history = Path(cfg.checkpoint).with_name("history.csv")
    if history.is_file():
        figures["learning_curves"] = learning_curves_figure(read_history(history))
    for name, figure in figures.items():
        figure.savefig(reports / f"{name}.png", dpi=120)
    return metrics


def open_data(cfg: DictConfig, classes: list[str], image_shape: list[int]) -> ImageDataModule:
    """Open the data set that a model was trained on.

    Args:
        cfg: Its `data` describes the data set.
        classes: The classes that the model knows, in order.
        image_shape: Channels, height and width that it takes, the sides in pixels.

    Raises:
        UserError: The model was trained on other classes or shapes, or the data are split by other
            settings than these.
    """
    data: ImageDataModule = instantiate(cfg.data)
    if not data.is_prepared() and (data.folder / "meta.json").is_file():
        raise UserError(
            f"{data.folder} was made by other settings: name the data settings of the training, or "
            "the images it was trained on may be among those to test on"
        )
    data.prepare_data()
    if data.classes != classes or data.image_shape != image_shape:
        raise UserError(
            f"{cfg.checkpoint} was trained on other classes or shapes than {data.folder} holds: "
            "name the data it was trained on, such as data=image_folder"
        )
    return data


def read_history(path: Path) -> dict[str, list[float]]:
    """Read the learning curves that training left beside the checkpoint, a column a name."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def in_batches(
    run: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    images: NDArray[np.uint8],
    batch_size: int,
) -> NDArray[np.float32]:
    """Run any number of images, one batch in memory at a time.

    Args:
        run: What takes a batch, such as `Predictor.probabilities`.
        images: Pixels of shape (images, channels, height, width), 0 to 255.
        batch_size: Images a step.

    Returns:
        What `run` gives, of shape (images, classes).
    """
    starts = range(0, len(images), batch_size)
    return np.concatenate([run(images[i : i + batch_size]) for i in starts])


def compute_metrics(probabilities: Probabilities, labels: Labels) -> dict[str, float]:
    """Compute loss (mean cross-entropy in nats), accuracy and macro F1 (0 to 1)."""
    predicted = probabilities.argmax(axis=1)
    classes = range(probabilities.shape[1])
    f1 = precision_recall_fscore_support(labels, predicted, average="macro", zero_division=0)[2]
    return {
        "loss": float(log_loss(labels, probabilities, labels=list(classes))),
        "accuracy": float((predicted == labels).mean()),
        "f1": float(f1),
    }


def write_per_class(
    path: Path, probabilities: Probabilities, labels: Labels, classes: list[str]
) -> None:
    """Write precision, recall, F1 and the number of images of each class as CSV."""
    columns = precision_recall_fscore_support(
        labels, probabilities.argmax(axis=1), labels=list(range(len(classes))), zero_division=0
    )
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["class", "precision", "recall", "f1", "images"])
        for name, precision, recall, f1, images in zip(classes, *columns, strict=True):
            writer.writerow([name, f"{precision:.4f}", f"{recall:.4f}", f"{f1:.4f}", images])


def result_figures(
    images: NDArray[np.uint8],
    labels: Labels,
    probabilities: Probabilities,
    classes: list[str],
    count: int,
) -> dict[str, Figure]:
    """Draw the confusion matrix, sample predictions and the worst mistakes.

    Args:
        images: Pixels of shape (images, channels, height, width), 0 to 255.
        labels: int64 labels of shape (images,).
        probabilities: Shape (images, classes).
        classes: Class names.
        count: How many samples, and how many mistakes at most.

    Returns:
        Figures by name; `mistakes` is ordered by the probability given to the wrong class.
    """
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    samples = np.linspace(0, len(labels) - 1, min(count, len(labels)), dtype=int)

    def titles(index: NDArray[np.int64]) -> list[str]:
        return [
            f"true {classes[labels[i]]}\nguess {classes[predicted[i]]} ({confidence[i]:.0%})"
            for i in index
        ]

    matrix = confusion_matrix(labels, predicted, labels=list(range(len(classes))))
    heading = f"The {len(worst)} worst of {len(wrong)} mistakes in {len(labels)} test images"
    return {
        "confusion_matrix": confusion_matrix_figure(matrix, classes),
        "mistakes": predictions_figure(images[worst], titles(worst), heading),
        "samples": predictions_figure(images[samples], titles(samples), "Sample predictions"),
    }
