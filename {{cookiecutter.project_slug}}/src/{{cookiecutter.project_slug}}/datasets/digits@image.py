"""The example: scikit-learn's handwritten digits, which need no download."""

from pathlib import Path

import numpy as np
from PIL import Image

from .base import DataModule, save_split
from .inputs import InputSpec
from .splits import stratified_split


class DigitsDataModule(DataModule):
    """scikit-learn's handwritten digits: 1,797 grey images of 8 x 8 pixels in 10 classes.

    Source: https://archive.ics.uci.edu/dataset/80 (its test set, as scikit-learn ships it).

    Args:
        folder: Where the prepared arrays lie.
        val_fraction: Share of each class for validation, 0 to 1.
        test_fraction: Share of each class for testing, 0 to 1.
        split_seed: Seed of the split.
        **batches: `batch_size`, `num_workers` and `memory_limit_mb` of `DataModule`.
    """

    def __init__(
        self,
        folder: str = "data/processed/digits",
        val_fraction: float = 0.1,
        test_fraction: float = 0.2,
        split_seed: int = 0,
        **batches: int,
    ) -> None:
        recipe = {"val": val_fraction, "test": test_fraction, "seed": split_seed}
        super().__init__(folder, recipe, **batches)

    def write_arrays(self, folder: Path) -> tuple[list[str], InputSpec]:
        """Write the splits, and one picture of each class to try `predict` on.

        The name of an image is its position in scikit-learn's data set, such as `digits/17`.

        Raises:
            UserError: The fractions leave nothing to train on.
        """
        from sklearn.datasets import load_digits  # takes a second, and only this method needs it

        digits = load_digits()
        images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
        labels = digits.target.astype(np.int64)
        classes = [str(name) for name in digits.target_names]
        fractions = self.recipe["val"], self.recipe["test"]
        splits = stratified_split(labels, *fractions, self.recipe["seed"])
        for split, index in splits.items():
            names = [f"digits/{position}" for position in index]
            save_split(folder, split, images[index], labels[index], names)

        (folder / "samples").mkdir()
        for label, name in enumerate(classes):
            first = splits["test"][labels[splits["test"]] == label][0]
            Image.fromarray(images[first, 0]).save(folder / "samples" / f"{name}.png")
        return classes, InputSpec([1, 8, 8])
