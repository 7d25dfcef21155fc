"""What the tests of data sets read: small tables."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes

HEADER = ["bill", "mass", "island", "tagged", "species"]
SPECIES = ["Adelie", "Chinstrap", "Gentoo"]
ISLANDS = ["Biscoe", "Dream", "Torgersen"]


def birds(count: int = 120, seed: int = 0) -> list[list[str]]:
    """Make rows of numbers, a category and a boolean, some of them missing, and a class.

    The bill tells two of the classes apart, the mass the third one.
    """
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        kind = number % 3
        bill = f"{(38.8, 48.8, 47.5)[kind] + draw.normal(0, 1.5):.2f}"
        mass = f"{(3700, 3700, 5100)[kind] + draw.normal(0, 200):.1f}"
        island = ISLANDS[draw.integers(3)]
        tagged = ("true", "false")[draw.integers(2)]
        row = [value if draw.random() > 0.1 else "" for value in (bill, mass, island, tagged)]
        rows.append([*row, SPECIES[kind]])
    return rows


def write(
    path: Path | str,
    rows: Sequence[Sequence[str]],
    header: Sequence[str] = HEADER,
    separator: str = ",",
    encoding: str = "utf-8",
) -> Path:
    """Write a CSV file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=separator).writerows([header, *rows])
    return path


def diabetes(count: int = 442) -> list[str]:
    """Write scikit-learn's diabetes table, whose target is a number, with a category and gaps."""
    found = load_diabetes(scaled=False)
    names = [*found.feature_names, "progression"]
    rows = [[f"{value:g}" for value in row] for row in np.c_[found.data, found.target][:count]]
    for number, row in enumerate(rows):
        row[1] = ("", "woman", "man")[int(row[1])]
        if number % 10 == 0:
            row[2] = ""
    write("diabetes.csv", rows, names)
    return ["data=table", "data.source=diabetes.csv", "data.target=progression"]


def table(more: int = 0) -> list[str]:
    write("table.csv", birds(120 + 3 * more))
    return ["data.source=table.csv", "data.target=species"]


# For each data set of configs/data/ that reads files: a function that writes some to the current
# folder, with so many more samples of each class, and returns the options that name them
SOURCES: dict[str, Callable[..., list[str]]] = {"table": table}
