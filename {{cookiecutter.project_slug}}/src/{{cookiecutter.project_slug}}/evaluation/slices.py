"""Slices: the quality in parts of the test split, and the parts where the model is weakest."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .metrics import Metric
from .text import visible

PARTS = 4  # that the numbers of a feature are cut into
FEWEST_SAMPLES = 5  # of a text that is a slice of its own
MOST_TEXTS = 100  # of one feature that are slices of their own

Groups = dict[str, NDArray[np.int64]]  # the positions of their samples, by name
Part = tuple[str, str, NDArray[np.int64]]  # a feature, its value, and the positions of the samples


@dataclass(frozen=True)
class Slice:
    """A part of the test split: the samples of a class, or of similar values of a feature.

    Attributes:
        feature: `class`, or the name of the feature.
        value: The class, the value or the range of values.
        samples: Number of samples.
        score: How good the model is on them, such as the accuracy.
        low: The lower end of the score's 95 % confidence interval.
        high: Its upper end.
        p_value: The probability that as many samples, drawn at random from the split, would be
            predicted as badly or worse.
        by_chance: Whether, of all slices, one may be that weak by chance (Bonferroni: the p-value
            times the number of slices is above 0.05).
        mistakes: The positions of its mistakes in the split.
    """

    feature: str
    value: str
    samples: int
    score: float
    low: float
    high: float
    p_value: float
    by_chance: bool
    mistakes: frozenset[int]

    @property
    def row(self) -> list[str | int | float]:
        """The columns of `header`."""
        numbers = [self.samples, self.score, self.low, self.high, self.p_value]
        return [self.feature, self.value, *numbers, self.by_chance]


def header(score: str) -> list[str]:
    """Name the columns of a table of slices.

    Args:
        score: What the score of a slice is, such as `accuracy`.
    """
    return ["feature", "value", "samples", score, "low", "high", "p_value", "by_chance"]


def cut(
    known: Mapping[str, Groups], features: Mapping[str, NDArray[Any]], count: int
) -> list[Part]:
    """Cut the test split into parts.

    Args:
        known: Groups of the samples, by what they are grouped by.
        features: What is known of the samples, by name. Numbers are cut into quarters. Of other
            values, each is a part; the rare ones are one together.
        count: How many samples there are: all of them are no part.
    """
    groups = [*known.items(), *((feature, group(values)) for feature, values in features.items())]
    return [
        (feature, name, index)
        for feature, found in groups
        for name, index in found.items()
        if len(index) < count
    ]


def rank(
    parts: Sequence[Part],
    wrong: NDArray[np.bool_],
    scores: Sequence[float],
    low: Sequence[float] | NDArray[np.float64],
    high: Sequence[float] | NDArray[np.float64],
    p_values: Sequence[float] | NDArray[np.float64],
) -> list[Slice]:
    """Make slices of parts, the weakest first.

    They are ordered by their p-value: by score, or by the end of its interval, a slice of one
    sample that is a mistake would come before all others.

    Args:
        parts: The parts.
        wrong: Whether each sample of the split is a mistake, of shape (samples,).
        scores: The score of each part.
        low: The lower end of its confidence interval.
        high: The upper end.
        p_values: The p-value of each part, as `Slice` has it.
    """
    slices = [
        Slice(
            feature=feature,
            value=name,
            samples=len(index),
            score=float(scores[k]),
            low=float(low[k]),
            high=float(high[k]),
            p_value=float(p_values[k]),
            by_chance=bool(p_values[k] * len(parts) > 0.05),
            mistakes=frozenset(index[wrong[index]].tolist()),
        )
        for k, (feature, name, index) in enumerate(parts)
    ]
    return sorted(slices, key=lambda part: part.p_value)


def weakest_slices(slices: Iterable[Slice], count: int = 3) -> list[Slice]:
    """Choose the slices that the model is weakest in.

    Args:
        slices: The slices, the weakest first.
        count: How many to choose, at most. A slice that is no weaker than a random one is left out,
            and so is one of which more than three quarters of the mistakes are in those before.
    """
    chosen: list[Slice] = []
    seen: set[int] = set()
    for part in slices:
        if part.p_value < 0.5 and len(part.mistakes - seen) >= len(part.mistakes) / 4:
            chosen.append(part)
            seen |= part.mistakes
    return chosen[:count]


def describe_slices(slices: Iterable[Slice], score: Metric) -> list[str]:
    """Describe the weakest slices in lines for people.

    Args:
        slices: The slices, the weakest first.
        score: What their score is, such as accuracy.
    """
    weakest = weakest_slices(slices)
    if not weakest:
        return ["No slice of the test split is weaker than the rest"]
    names = [visible(f"{part.feature} {part.value}", 50) for part in weakest]
    width = max(map(len, names))
    lines = [f"Weakest slices, with their {score.name} and its 95 % confidence interval:"]
    for name, part in zip(names, weakest, strict=True):
        chance = ", perhaps by chance" if part.by_chance else ""
        lines.append(
            f"  {name:<{width}}  {score.write(part.score)} "
            f"({score.write_interval(part.low, part.high)}), {part.samples:,} samples{chance}"
        )
    return lines


def group(values: NDArray[Any]) -> Groups:
    """Group the samples by the values of a feature, of shape (samples,)."""
    if values.dtype.kind in "fiu":
        return group_numbers(values)
    return group_texts(list(map(name_value, values.tolist())))


def name_value(value: object) -> str:
    """Name a value of a feature that is no number: None and NaN are missing."""
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "missing" if missing else str(value)


def group_numbers(values: NDArray[Any]) -> Groups:
    """Cut the samples into four parts of about the same size, by numbers of shape (samples,).

    Equal numbers are in the same part, and NaN has a part of its own.
    """
    missing = np.isnan(values)
    order = np.argsort(values, kind="stable")[: np.count_nonzero(~missing)]  # NaN is the last
    numbers = values[order]
    starts = np.flatnonzero(numbers[1:] != numbers[:-1]) + 1  # where a part can start
    wanted = len(order) * np.arange(1, PARTS) / PARTS
    if len(starts):
        starts = np.unique(starts[np.abs(starts[:, None] - wanted).argmin(axis=0)])
    parts = [part for part in np.split(order, starts) if len(part)]
    names = name_ranges([(float(values[part[0]]), float(values[part[-1]])) for part in parts])
    groups = dict(zip(names, parts, strict=True))
    return groups | ({"missing": np.flatnonzero(missing)} if missing.any() else {})


def name_ranges(ranges: Sequence[tuple[float, float]]) -> list[str]:
    """Name ranges of numbers, with three digits or as many as tell them and their ends apart."""
    for digits in range(3, 18):
        ends = [(write_number(low, digits), write_number(high, digits)) for low, high in ranges]
        names = [low if low == high else f"{low} to {high}" for low, high in ends]
        kept = [low == high for low, high in ends] == [low == high for low, high in ranges]
        if kept and len(set(names)) == len(names):
            break
    return names


def write_number(number: float, digits: int) -> str:
    """Write a number with some significant digits, and all digits before the point."""
    whole = 10**digits <= abs(number) < 10**15
    return f"{number:,.0f}" if whole else f"{number:.{digits}g}"


def group_texts(
    values: Sequence[str], fewest: int = FEWEST_SAMPLES, most: int = MOST_TEXTS
) -> Groups:
    """Group the samples by their texts, those with rare texts together.

    Args:
        values: The text of each sample.
        fewest: The samples that a text needs to be a group of its own.
        most: How many texts can be groups of their own, the most common ones.
    """
    counts = Counter(values)
    common = {text for text, count in counts.most_common(most) if count >= fewest}
    others = f"{len(counts) - len(common):,} other values"
    found: dict[str, list[int]] = {}
    for position, text in enumerate(values):
        found.setdefault(text if text in common else others, []).append(position)
    return {text: np.array(positions) for text, positions in found.items()}
