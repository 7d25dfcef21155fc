"""What reports show of the samples: the rows themselves, and what differs between them."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..datasets.inputs import InputSpec
from .text import TEXT, drawable, shorten, to_markdown

MOST_COLUMNS = 6  # in a figure
ALIKE = 0.9  # correlation of columns that say nearly the same
MOST_PAIRS = 10


def draw_samples(
    inputs: NDArray[np.float32], spec: InputSpec, titles: Sequence[str], heading: str
) -> Figure:
    """Draw rows as a table, each below its title.

    Args:
        inputs: Shape (rows, columns).
        spec: What the inputs are.
        titles: The title of each row, of one to three lines.
        heading: Title of the whole figure.
    """
    shown = spec.columns[:MOST_COLUMNS]
    if len(spec.columns) > len(shown):
        heading += f" (the first {len(shown)} of {spec})"
    size = 4.2 + 1.2 * len(shown), max(0.2 * len(inputs) + 1, 2)
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(drawable(heading), **TEXT)
    axes = figure.subplots()
    axes.axis("off")
    cells = [
        [drawable(" · ".join(title.splitlines()))]
        + [shorten(text, 12) for text in texts(row, spec)[: len(shown)]]
        for title, row in zip(titles, inputs, strict=True)
    ]
    header = ["", *(shorten(column["name"], 16) for column in shown)]
    table = axes.table(
        [header, *cells],
        colWidths=[width / size[0] for width in [4.2, *[1.2] * len(shown)]],
        cellLoc="left",
        loc="upper center",
        edges="horizontal",
    )
    table.auto_set_font_size(False)
    table.set_fontsize(8)
    for (_, place), cell in table.get_celld().items():
        cell.PAD = 0.01 if place == 0 else 0.05  # as a share of the cell
        cell.get_text().set(**TEXT)
    return figure


def texts(row: NDArray[np.float32], spec: InputSpec) -> list[str]:
    """Write the value of each column of a row: `-` where it is missing."""
    values = spec.decode(row).values()
    return ["-" if v is None else f"{v:.6g}" if isinstance(v, float) else str(v) for v in values]


def show(sample: NDArray[np.float32], spec: InputSpec) -> str:
    """Write a row in one line: `bill length: 39.1, species: -`."""
    return ", ".join(
        f"{name}: {text}" for name, text in zip(spec.names, texts(sample, spec), strict=True)
    )


def profile(inputs: Mapping[str, NDArray[np.float32]], spec: InputSpec) -> list[str]:
    """Describe the columns in Markdown: kinds, values, what is missing, and correlations.

    Args:
        inputs: Shape (rows, columns), by split.
        spec: What the inputs are, with the statistics of the training rows.
    """
    splits = list(inputs)
    lines = [
        f"| column | kind | training values | {' | '.join(f'missing in {s}' for s in splits)} |",
        f"|---|---|---|{'---|' * len(splits)}",
    ]
    for place, column in enumerate(spec.columns):
        values = ", ".join(column.get("categories", []))
        if column["kind"] == "number":
            values = f"{column['low']:.5g} to {column['high']:.5g}, median {column['median']:.5g}"
        elif column["kind"] == "boolean":
            values = f"{column['mean']:.1%} true"
        found = (rows[:, place] for rows in inputs.values())
        absent = (one == 0 if column["kind"] == "category" else np.isnan(one) for one in found)
        cells = [to_markdown(column["name"]), column["kind"], to_markdown(shorten(values, 60))]
        lines.append(f"| {' | '.join([*cells, *(f'{one.sum():,}' for one in absent)])} |")
    pairs = alike(inputs["train"], spec)
    lines += ["", f"Pairs of columns with a correlation above {ALIKE}: {len(pairs)}."]
    if pairs:
        lines += ["", "| column | column | correlation |", "|---|---|---|"]
        lines += [
            f"| {to_markdown(one)} | {to_markdown(other)} | {correlation:.3f} |"
            for one, other, correlation in pairs[:MOST_PAIRS]
        ]
    return lines


def alike(inputs: NDArray[np.float32], spec: InputSpec) -> list[tuple[str, str, float]]:
    """Find the pairs of columns of numbers that say nearly the same, the closest first.

    Args:
        inputs: Training rows, of shape (rows, columns).
        spec: What the inputs are.

    Returns:
        For each pair the two names and their correlation, -1 to 1, over the rows that have both.
    """
    places = [i for i, column in enumerate(spec.columns) if column["kind"] == "number"]
    numbers = np.array(inputs[:, places], np.float64)
    pairs = []
    for i, j in combinations(range(len(places)), 2):
        both = numbers[:, [i, j]]
        both = both[~np.isnan(both).any(axis=1)]
        if len(both) > 1 and both.std(axis=0).all():
            correlation = float(np.atleast_2d(np.corrcoef(both, rowvar=False))[0, 1])
            if abs(correlation) > ALIKE:
                pairs.append((spec.names[places[i]], spec.names[places[j]], correlation))
    return sorted(pairs, key=lambda pair: -abs(pair[2]))


def features(inputs: NDArray[np.float32], spec: InputSpec) -> dict[str, NDArray[Any]]:
    """Return the columns, which may make a row hard to classify: `evaluate` cuts by them.

    Args:
        inputs: Shape (rows, columns).
        spec: What the inputs are.

    Returns:
        Values of shape (rows,) by name: numbers, or texts. A missing one is NaN or None.
    """
    found: dict[str, NDArray[Any]] = {}
    for column, numbers in zip(spec.columns, np.array(inputs).T, strict=True):
        values: NDArray[Any] = numbers
        if column["kind"] == "category":
            values = np.array([None, *column["categories"]])[numbers.astype(int)]
        elif column["kind"] == "boolean":
            texts_of = np.array(["false", "true", None])
            values = texts_of[np.where(np.isnan(numbers), 2, numbers).astype(int)]
        found[column["name"]] = values
    return found
