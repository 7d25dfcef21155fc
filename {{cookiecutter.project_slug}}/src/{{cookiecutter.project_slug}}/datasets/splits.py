"""Splits: which samples train, which choose the best epoch, which test."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from .. import UserError

SPLITS = ("train", "val", "test")

# The folders of the splits as data sets name them, in small letters
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
}


def named_splits(names: Iterable[str]) -> dict[str, list[str]]:
    """Find the names of folders that are names of splits.

    Returns:
        The names that mean each split, for the splits that are named at all.
    """
    found: dict[str, list[str]] = {}
    for name in names:
        if split := SPLIT_NAMES.get(name.casefold()):
            found.setdefault(split, []).append(name)
    return found


def split_lookalikes(names: Iterable[str]) -> list[str]:
    """Find names such as `training_set` and `seg_test`, which look like splits of one data set.

    Returns:
        The names, if one means training and another one something else; else none of them.
    """
    found = {
        name: SPLIT_NAMES[word]
        for name in names
        for word in re.split(r"[\W\d_]+", name.casefold())
        if word in SPLIT_NAMES
    }
    meant = set(found.values())
    return list(found) if "train" in meant and len(meant) > 1 else []


def stratified_split(
    labels: NDArray[np.int64],
    val_fraction: float | None,
    test_fraction: float | None,
    seed: int,
    classes: Sequence[str] | None = None,
) -> dict[str, NDArray[np.int64]]:
    """Split each class in the same proportions, with at least one sample of it in every split.

    Args:
        labels: int64 labels of shape (samples,).
        val_fraction: Share for validation, 0 to 1; None leaves that split empty.
        test_fraction: Share for testing, 0 to 1; None leaves that split empty.
        seed: Seed of the draw, 0 at least.
        classes: Class names, for the error message.

    Returns:
        For each of `SPLITS`, the sorted positions of its samples.

    Raises:
        UserError: The fractions leave nothing to train on, a class has too few samples, or the seed
            is none.
    """
    cut = [fraction for fraction in (val_fraction, test_fraction) if fraction is not None]
    numbers = all(isinstance(fraction, int | float) for fraction in cut)
    if not numbers or not all(fraction > 0 for fraction in cut) or sum(cut) >= 1:
        raise UserError("data.val_fraction and data.test_fraction: above 0, and together below 1")
    if not isinstance(seed, int) or seed < 0:
        raise UserError(f"data.split_seed is {seed!r}: give a whole number, 0 at least")
    generator = np.random.default_rng(seed)
    parts: dict[str, list[NDArray[np.int64]]] = {split: [] for split in SPLITS}
    for label in np.unique(labels):
        index = generator.permutation(np.flatnonzero(labels == label))
        if len(index) <= len(cut):
            name = classes[label] if classes else label
            needed = {1: "one", 2: "two", 3: "three"}[len(cut) + 1]
            raise UserError(f"class {name} has {len(index)} samples: each needs {needed} at least")
        test = max(1, round(len(index) * test_fraction)) if test_fraction else 0
        val = 0
        if val_fraction:
            val = max(1, min(round(len(index) * val_fraction), len(index) - test - 1))
        test = min(test, len(index) - val - 1)
        parts["test"].append(index[:test])
        parts["val"].append(index[test : test + val])
        parts["train"].append(index[test + val :])
    return {split: np.sort(np.concatenate(pieces)) for split, pieces in parts.items()}
