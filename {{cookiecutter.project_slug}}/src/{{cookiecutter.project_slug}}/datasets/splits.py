"""Splits: which images train, which choose the best epoch, which test."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .. import UserError

SPLITS = ("train", "val", "test")


def stratified_split(
    labels: NDArray[np.int64],
    val_fraction: float,
    test_fraction: float,
    seed: int,
    classes: Sequence[str] | None = None,
) -> dict[str, NDArray[np.int64]]:
    """Split each class in the same proportions, with at least one image of it in every split.

    Args:
        labels: int64 labels of shape (images,).
        val_fraction: Share for validation, 0 to 1.
        test_fraction: Share for testing, 0 to 1.
        seed: Seed of the draw.
        classes: Class names, for the error message.

    Returns:
        For each of `SPLITS`, the sorted positions of its images.

    Raises:
        UserError: The fractions leave nothing to train on, or a class has under three images.
    """
    if min(val_fraction, test_fraction) <= 0 or val_fraction + test_fraction >= 1:
        raise UserError("data.val_fraction and data.test_fraction: above 0, and together below 1")
    generator = np.random.default_rng(seed)
    parts: dict[str, list[NDArray[np.int64]]] = {split: [] for split in SPLITS}
    for label in np.unique(labels):
        index = generator.permutation(np.flatnonzero(labels == label))
        if len(index) < 3:
            name = classes[label] if classes else label
            raise UserError(f"class {name} has {len(index)} images: each needs three at least")
        test = max(1, round(len(index) * test_fraction))
        val = max(1, min(round(len(index) * val_fraction), len(index) - test - 1))
        test = min(test, len(index) - val - 1)
        parts["test"].append(index[:test])
        parts["val"].append(index[test : test + val])
        parts["train"].append(index[test + val :])
    return {split: np.sort(np.concatenate(pieces)) for split, pieces in parts.items()}
