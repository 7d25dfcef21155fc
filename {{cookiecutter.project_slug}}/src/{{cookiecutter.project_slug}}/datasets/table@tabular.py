"""Your own table: a CSV or Parquet file, one column of which is to be predicted."""

from array import array
from collections.abc import Sequence
from difflib import get_close_matches
from hashlib import file_digest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from .. import UserError
from .base import DataModule, save_split
from .columns import Column, number_column
from .inputs import InputSpec, some
from .rows import TableFile
from .splits import SPLITS, stratified_split
from .targets import Target, find_classes, find_numbers, refuse_copies


class TableDataModule(DataModule):
    """A CSV or Parquet file: one column is to be predicted, the others are what is known.

    The target is the class of each row, or a number: `Target` tells which.

    A column holds numbers, categories (texts) or booleans (`true` and `false`); which of these, and
    the categories, are found out from its values. What is neither is refused: dates, free text and
    ids, which a network would learn by heart. Rows with the same values are kept in one split.

    Args:
        source: The file. CSV may be separated by `,`, `;`, tabs or `|`, in UTF-8 or UTF-16; where
            it is not separated by commas, numbers may have decimal commas.
        target: The name of the column to predict. Without it, the error lists the columns.
        target_kind: One of `TARGET_KINDS`: what the target is. `auto` looks at its values.
        folder: Where the prepared arrays lie.
        drop: Names of columns to leave out.
        categories: Names of columns of numbers that are names, such as postcodes.
        val_fraction: Share of the rows (of each class) for validation, 0 to 1.
        test_fraction: Share of the rows (of each class) for testing, 0 to 1.
        split_seed: Seed of the split.
        **batches: `batch_size`, `num_workers` and `memory_limit_mb` of `DataModule`.

    Raises:
        UserError: An option can't work.
    """

    def __init__(
        self,
        source: str,
        target: str | None = None,
        target_kind: str = "auto",
        folder: str = "data/processed/table",
        drop: Sequence[str] = (),
        categories: Sequence[str] = (),
        val_fraction: float = 0.1,
        test_fraction: float = 0.2,
        split_seed: int = 0,
        **batches: int,
    ) -> None:
        if not source:
            raise UserError("data.source is empty: name a CSV or Parquet file")
        recipe = {
            "source": Path(source).as_posix(),
            "target": None if target is None else str(target),
            "target_kind": target_kind,
            "drop": [str(name) for name in drop],
            "categories": [str(name) for name in categories],
            "val": val_fraction,
            "test": test_fraction,
            "seed": split_seed,
        }
        super().__init__(folder, recipe, **batches)
        self.source = Path(source).expanduser()

    @property
    def label_kind(self) -> str:
        """What is true of rows, as the end of a sentence."""
        return super().label_kind if self.classes else "with a number to predict"

    def describe_source(self) -> str | None:
        """Compute the SHA-256 of the file; None where there is none."""
        if not self.source.is_file():
            return None
        with self.source.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()

    def write_arrays(self, folder: Path) -> tuple[list[str], InputSpec]:
        """Read the file, find out what its columns are, and write the splits.

        The name of a row is the file's and its number there, such as `table.csv:17`.

        Raises:
            UserError: The file, a column or a value can't be used, a class has too few rows, or the
                fractions leave nothing to train on.
        """
        columns, read, rows = self.read_columns()
        kind, target = read.found()
        classes: list[str] = []
        labels: NDArray[Any]
        if kind == "number":
            labels = find_numbers(target, rows)
        else:
            classes, labels = find_classes(target, rows)
        everything = np.arange(len(rows))
        first = np.stack([column.describe(everything)[1] for column in columns], axis=1)
        refuse_copies(columns, first, labels)
        splits = self.split_rows(first, labels, classes)
        described = [column.describe(splits["train"]) for column in columns]
        inputs = np.stack([values for _, values in described], axis=1)
        for split, index in splits.items():
            names = [f"{self.source.name}:{rows[i]}" for i in index]
            save_split(folder, split, inputs[index], labels[index], names)
        predicted = None
        if kind == "number":
            predicted = number_column(target.name, labels[splits["train"]].astype(np.float64))
            if not predicted["deviation"]:
                raise target.error("is the same in all training rows: there is nothing to learn")
        return classes, InputSpec([column for column, _ in described], predicted)

    def read_columns(self) -> tuple[list[Column], Target, NDArray[np.int64]]:
        """Read the file once.

        Returns:
            The columns without the target, the target, and the number of each row in the file.

        Raises:
            UserError: The file can't be read, options name columns that it lacks, or no column is
                left.
        """
        if not self.source.is_file():
            raise UserError(f"data.source {self.source} is no file")
        table = TableFile(self.source)
        target, drop, categories = (self.recipe[key] for key in ("target", "drop", "categories"))
        if target is None:
            known = some(table.header)
            raise UserError(f"data.target: name the column to predict, one of {known}")
        for option, name in [
            ("target", target),
            *(("drop", name) for name in drop),
            *(("categories", name) for name in categories),
        ]:
            if name not in table.header:
                alike = get_close_matches(name, table.header, n=1)
                meant = f" (did you mean {alike[0]!r}?)" if alike else ""
                raise UserError(
                    f"data.{option}: {table.name} has no column {name!r}{meant}; it has "
                    f"{some(table.header)}"
                )
        columns = [
            Column(table.name, name, named=name in categories)
            for name in table.header
            if name not in {*drop, target}
        ]
        if not columns:
            raise UserError(f"{table.name} has no column beside the target {target!r}")
        places = [table.header.index(column.name) for column in columns]
        read = Target(table.name, target, self.recipe["target_kind"])
        place_of_target = table.header.index(target)
        rows = array("q")
        for row, fields in tqdm(table.rows, f"reading {table.name}", delay=1, disable=None):
            rows.append(row)
            read.add(fields[place_of_target], row)
            for column, place in zip(columns, places, strict=True):
                column.add(fields[place], row)
        if not rows:
            raise UserError(f"{table.name} has a header, and no rows below it")
        return columns, read, np.array(rows)

    def split_rows(
        self, values: NDArray[np.float32], labels: NDArray[Any], classes: Sequence[str]
    ) -> dict[str, NDArray[np.int64]]:
        """Split the rows, by class if there are any, and keep those with the same values together.

        Args:
            values: The rows as numbers, of shape (rows, columns).
            labels: Classes or numbers, of shape (rows,).
            classes: Class names; none for numbers.

        Returns:
            For each of `SPLITS`, the sorted positions of its rows.

        Raises:
            UserError: As for `stratified_split`, or there are too few rows.
        """
        # As bytes, NaN equals NaN; without + 0.0, zero would not equal minus zero
        raw = np.ascontiguousarray(values + np.float32(0)).view(f"V{4 * values.shape[1]}")[:, 0]
        _, first, group = np.unique(raw, return_index=True, return_inverse=True)
        if len(first) < len(raw):
            other = int((labels != labels[first][group]).sum())
            print(
                f"{self.source.name}: {len(raw) - len(first)} rows have the values of an earlier "
                f"one, {other} of them with another target; equal rows are kept in one split"
            )
        if not classes and len(first) < len(SPLITS):
            raise UserError(f"{self.source.name} has {len(first)} different rows: add more")
        strata = labels[first] if classes else np.zeros(len(first), np.int64)
        fractions = self.recipe["val"], self.recipe["test"]
        parts = stratified_split(strata, *fractions, self.recipe["seed"], classes)
        return {
            split: np.flatnonzero(np.isin(group, index)).astype(np.int64)
            for split, index in parts.items()
        }
