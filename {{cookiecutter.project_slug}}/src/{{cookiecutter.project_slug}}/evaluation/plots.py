"""Figures for people. They are made without pyplot, so that no window opens."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .. import UserError
from .text import TEXT, shorten

History = dict[str, list[float]]

MOST_SAMPLES = 200  # in one figure
MOST_INCHES = 24  # the side of a confusion matrix


def check_samples(count: int) -> None:
    """Refuse a number of samples that can't be drawn in one figure.

    Raises:
        UserError: It is no whole number, negative or too large.
    """
    if not isinstance(count, int) or not 0 <= count <= MOST_SAMPLES:
        raise UserError(f"samples={count}: name a number from 0 to {MOST_SAMPLES}")


def confusion_matrix_figure(matrix: NDArray[np.int64], classes: Sequence[str]) -> Figure:
    """Draw a confusion matrix.

    Args:
        matrix: Counts of shape (classes, classes): one row for each true class, one column for
            each predicted class.
        classes: Class names.
    """
    names = 0.1 * max(len(shorten(name)) for name in classes)  # inches beside the matrix
    side = min(max(4.0, 0.55 * len(classes) + 1 + names), MOST_INCHES)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    if side < MOST_INCHES:  # else the squares are too small for numbers
        for row, column in np.argwhere(matrix):
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, matrix[row, column], ha="center", va="center", color=color)
    name_classes(axes.xaxis, classes, side)
    name_classes(axes.yaxis, classes, side)
    axes.set(xlabel="predicted", ylabel="true", title="Confusion matrix")
    return figure


def name_classes(axis: XAxis | YAxis, classes: Sequence[str], inches: float) -> None:
    """Write class names beside the positions 0, 1, 2, ... of an axis.

    Of more classes than there is room for, every second one is named, every third one and so on.

    Args:
        axis: The axis.
        classes: Class names.
        inches: The length of the axis.
    """
    room = 72 * 0.8 * inches / len(classes)  # typographic points for each name
    step = -int(-6 // room)
    names = [shorten(name) for name in classes[::step]]
    flat = isinstance(axis, YAxis) or max(len(name) for name in names) <= 2
    axis.set_ticks(
        range(0, len(classes), step),
        names,
        rotation=0 if flat else 90,
        fontsize=min(10, room * step),
        **TEXT,
    )


def learning_curves_figure(history: History, metrics: Sequence[str]) -> Figure:
    """Draw metrics over the epochs, for training and validation.

    Args:
        history: `epoch` and columns such as `train/loss` and `val/f1`, one value for each epoch.
            A curve without a column is left out, and so is a point without a number (NaN).
        metrics: The names of the metrics, such as `loss` and `f1`, two at least.
    """
    epochs = history.get("epoch", [])
    figure = Figure(figsize=(12, 3.5), layout="constrained")
    for axes, metric in zip(figure.subplots(1, len(metrics)), metrics, strict=True):
        for split in ("train", "val"):
            if f"{split}/{metric}" in history:
                # With dots, as a line through one point has no length
                axes.plot(epochs, history[f"{split}/{metric}"], ".-", label=split)
        axes.set(xlabel="epoch", title=metric)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    return figure
