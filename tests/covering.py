"""Covering arrays: a few rows of answers in which every set of answers to any few questions occurs.

An array of strength 2 holds every pair of answers to two different questions, one of strength 4
every four answers to four. The rows are made in parameter order (IPOG; Lei and others, 2007):
the first questions get every combination, then each further question adds a column, whose values
cover as much as they can, and the rows that are still needed.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from bakery import Answers, Toggles

Row = list[int | None]  # the number of each column's answer, None where any will do
Tuple = tuple[tuple[int, ...], tuple[int, ...]]  # some columns, and a number for each


def covering(toggles: Toggles, strength: int) -> list[Answers]:
    """Return rows in which any `strength` questions have every combination of their answers.

    The same questions always give the same rows.

    Raises:
        ValueError: A combination is missing, so there is a fault in this module.
    """
    # Many answers first: their combinations make up most of the rows anyway
    names = sorted(toggles, key=lambda name: -len(toggles[name]))
    numbers = [
        dict(zip(names, row, strict=True))
        for row in _rows([len(toggles[name]) for name in names], strength)
    ]
    rows = [{name: toggles[name][row[name]] for name in toggles} for row in numbers]
    if lacking := missing(rows, toggles, strength):
        raise ValueError(f"{len(lacking)} combinations are missing, such as {lacking[0]}")
    return rows


def missing(rows: Sequence[Answers], toggles: Toggles, strength: int) -> list[Answers]:
    """List the combinations of answers to any `strength` questions that no row holds."""
    return [
        dict(zip(names, values, strict=True))
        for names in itertools.combinations(toggles, strength)
        for values in sorted(
            set(itertools.product(*(toggles[name] for name in names)))
            - {tuple(row[name] for name in names) for row in rows},
            key=str,
        )
    ]


def _rows(sizes: Sequence[int], strength: int) -> list[list[int]]:
    """Make an array for columns of `sizes` values each, numbered from 0."""
    rows: list[Row] = [list(row) for row in itertools.product(*map(range, sizes[:strength]))]
    for column in range(strength, len(sizes)):
        lacking = set(_tuples(sizes, column, strength))
        _widen(rows, sizes[column], strength, lacking)
        _lengthen(rows, column + 1, sorted(lacking))
    return [[value or 0 for value in row] for row in rows]


def _tuples(sizes: Sequence[int], column: int, strength: int) -> Iterator[Tuple]:
    """Yield the tuples to cover that have a value of `column`, the others being before it."""
    for others in itertools.combinations(range(column), strength - 1):
        columns = (*others, column)
        for values in itertools.product(*(range(sizes[one]) for one in columns)):
            yield columns, values


def _widen(rows: list[Row], size: int, strength: int, lacking: set[Tuple]) -> None:
    """Give each row the value, of `size` many, that covers most of what is lacking."""
    used: Counter[int] = Counter()
    for row in rows:
        held = [
            (columns, tuple(row[one] for one in columns))
            for columns in itertools.combinations(range(len(row)), strength - 1)
        ]
        new = [
            {((*columns, len(row)), (*values, value)) for columns, values in held} & lacking
            for value in range(size)
        ]
        gains = [len(one) for one in new]
        # Of equal values the rarest: what it covers is harder to come by
        value = max(range(size), key=lambda one: (gains[one], -used[one]))
        used[value] += 1
        lacking -= new[value]
        row.append(value)


def _lengthen(rows: list[Row], width: int, lacking: list[Tuple]) -> None:
    """Cover what is lacking where a row has room for it, else by another row."""
    for columns, values in lacking:
        pairs = list(zip(columns, values, strict=True))
        row = next((row for row in rows if all(row[c] in {None, v} for c, v in pairs)), None)
        if row is None:
            row = [None] * width
            rows.append(row)
        for column, value in pairs:
            row[column] = value
