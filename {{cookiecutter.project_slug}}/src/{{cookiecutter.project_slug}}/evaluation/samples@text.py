"""What reports show of the samples: the texts themselves, and what differs between them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..datasets.inputs import InputSpec
from .text import TEXT, drawable, shorten

WIDTH = 60  # Latin letters of a text in a figure


def draw_samples(
    inputs: NDArray[np.int32], spec: InputSpec, titles: Sequence[str], heading: str
) -> Figure:
    """Draw texts as a table, each with its title.

    Args:
        inputs: Numbers of shape (texts, length).
        spec: What the inputs are.
        titles: The title of each text, of one to three lines.
        heading: Title of the whole figure.
    """
    rows = [
        (shorten(show(sample, spec), WIDTH), "   ".join(title.split("\n")))
        for sample, title in zip(inputs, titles, strict=True)
    ]
    figure = Figure(figsize=(11, 0.26 * max(1, len(rows)) + 0.8), layout="constrained")
    figure.suptitle(drawable(heading), **TEXT)
    axes = figure.subplots()
    axes.set(xlim=(0, 1), ylim=(max(1, len(rows)) - 0.5, -0.5))
    axes.axis("off")
    for place, (text, title) in enumerate(rows):
        axes.text(0, place, text, va="center", fontsize=9, **TEXT)
        axes.text(0.5, place, title, va="center", fontsize=8, color="dimgray", **TEXT)
    return figure


def show(sample: NDArray[np.int32], spec: InputSpec) -> str:
    """Return the text of an input, as far as it was not cut off."""
    return spec.decode(sample)


def lengths(inputs: NDArray[np.int32]) -> NDArray[np.int64]:
    """Count the characters, or tokens, of texts (texts, length)."""
    counts: NDArray[np.int64] = np.count_nonzero(inputs, axis=1)
    return counts


def profile(inputs: Mapping[str, NDArray[np.int32]], spec: InputSpec) -> list[str]:
    """Describe the lengths of the texts of each split, as lines of tables in Markdown.

    Args:
        inputs: Numbers of shape (texts, length), by split.
        spec: What the inputs are.
    """
    counted = {split: lengths(texts) for split, texts in inputs.items()}
    lines = [
        f"| split | shortest | median | 95 % are up to | longest | {spec.length:,} or more |",
        "|---|---|---|---|---|---|",
    ]
    for split, count in counted.items():
        low, middle, high, most = np.percentile(count, [0, 50, 95, 100]).astype(int)
        full = np.count_nonzero(count == spec.length)
        lines.append(f"| {split} | {low:,} | {middle:,} | {high:,} | {most:,} | {full:,} |")
    lines += ["", f"Lengths are in {spec.unit}.", ""]
    return lines + histogram(counted["train"], spec)


def histogram(count: NDArray[np.int64], spec: InputSpec) -> list[str]:
    """Count the training texts of each range of lengths, as lines of a table in Markdown.

    Args:
        count: The length of each text.
        spec: What the inputs are.
    """
    edges = np.unique(np.linspace(1, count.max() + 1, 11).astype(int))
    heights = np.histogram(count, edges)[0]
    bars = ["\N{FULL BLOCK}" * round(40 * height / heights.max()) for height in heights]
    rows = [
        f"| {low:,} to {high - 1:,} | {height:,} | {bar} |"
        for low, high, height, bar in zip(edges[:-1], edges[1:], heights, bars, strict=True)
    ]
    return [f"| {spec.unit} | training texts | |", "|---|---|---|", *rows]


def features(inputs: NDArray[np.int32], spec: InputSpec) -> dict[str, NDArray[Any]]:
    """Measure what may make a text hard to classify.

    Args:
        inputs: Numbers of shape (texts, length).
        spec: What the inputs are.

    Returns:
        Values of shape (texts,) by name: the length.
    """
    return {"length": lengths(inputs)}
