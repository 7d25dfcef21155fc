"""Figures for people. They are made without pyplot, so that no window opens."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from .metrics import Labels, Probabilities

History = dict[str, list[float]]


def result_figures(
    images: NDArray[np.uint8],
    labels: Labels,
    probabilities: Probabilities,
    classes: Sequence[str],
    count: int,
) -> dict[str, Figure]:
    """Draw the confusion matrix, some predictions and the worst mistakes.

    Args:
        images: Pixels of shape (images, channels, height, width), 0 to 255.
        labels: int64 labels of shape (images,).
        probabilities: Shape (images, classes).
        classes: Class names.
        count: Number of images in each of the other two figures, at most.

    Returns:
        Figures by name: `confusion_matrix`, `samples` and `mistakes`, the mistake with the highest
        probability first.
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


def confusion_matrix_figure(matrix: NDArray[np.int64], classes: Sequence[str]) -> Figure:
    """Draw a confusion matrix.

    Args:
        matrix: Counts of shape (classes, classes): one row for each true class, one column for
            each predicted class.
        classes: Class names.
    """
    side = max(4.0, 0.55 * len(classes) + 1.5)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(matrix):
        color = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, matrix[row, column], ha="center", va="center", color=color)
    long_names = len(max(classes, key=len)) > 2
    axes.set_xticks(range(len(classes)), classes, rotation=90 if long_names else 0)
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="predicted", ylabel="true", title="Confusion matrix")
    return figure


def predictions_figure(
    images: NDArray[np.uint8],
    titles: Sequence[str],
    heading: str,
) -> Figure:
    """Draw images in a grid, each with a title.

    Args:
        images: Pixels of shape (images, channels, height, width), 0 to 255.
        titles: The title of each image, of one or two lines.
        heading: Title of the whole figure.
    """
    columns = 5
    rows = max(1, -(-len(images) // columns))
    figure = Figure(figsize=(1.7 * columns, 2.0 * rows + 0.5), layout="constrained")
    figure.suptitle(heading)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, title in zip(grid.flat, images, titles, strict=False):
        pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
        axes.set_title(title, fontsize=8)
    return figure


def learning_curves_figure(history: History) -> Figure:
    """Draw loss, accuracy and F1 over the epochs, for training and validation.

    Args:
        history: `epoch` and columns such as `train/loss` and `val/f1`, one value for each epoch.
    """
    figure = Figure(figsize=(12, 3.5), layout="constrained")
    for axes, metric in zip(figure.subplots(1, 3), ("loss", "accuracy", "f1"), strict=True):
        for split in ("train", "val"):
            axes.plot(history["epoch"], history[f"{split}/{metric}"], label=split)
        axes.set(xlabel="epoch", title=metric)
        axes.grid(alpha=0.3)
        axes.legend()
    return figure
