"""The pictures a person looks at. Figures are made without pyplot, so nothing opens a window."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

History = dict[str, list[float]]


def confusion_matrix_figure(matrix: NDArray[np.int64], classes: Sequence[str]) -> Figure:
    """Draw a confusion matrix.

    Args:
        matrix: Counts of shape (classes, classes); a row for each true class, a column for each
            predicted one.
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
        titles: One line or two for each image.
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
        history: `epoch` and columns such as `train/loss` and `val/f1`, one value an epoch.
    """
    figure = Figure(figsize=(12, 3.5), layout="constrained")
    for axes, metric in zip(figure.subplots(1, 3), ("loss", "accuracy", "f1"), strict=True):
        for split in ("train", "val"):
            axes.plot(history["epoch"], history[f"{split}/{metric}"], label=split)
        axes.set(xlabel="epoch", title=metric)
        axes.grid(alpha=0.3)
        axes.legend()
    return figure
