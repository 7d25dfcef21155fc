"""What the columns of a table are: numbers, categories or booleans, and their statistics."""

import re
from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import UserError
from .inputs import LARGEST, MISSING, number_of, short

MOST_CATEGORIES = 1000  # in one column: more are text, or the names of single rows
FEW = 20  # rows in which different values say nothing about ids
CODE = re.compile(r"[+-]?0\d+")  # 00501 is a postcode, and no number
DATE = re.compile(r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})([T ].*)?")
ID = re.compile(r"(^|[\W_])(?i:id|key|index|nr|no)$|[a-z]I[dD]$")


class Column:
    """One column of a file while it is read: numbers, and each text once.

    Args:
        file: The name of the file, for messages.
        name: The name of the column.
        named: Take numbers for texts: they are names, such as postcodes.

    Attributes:
        numbers: The number of each row, NaN where it has none.
        codes: The position in `texts` of each row, 0 for a number and -1 for a missing value.
        texts: The texts that occur, each with its position from 1.
        rows: The rows in which each text occurs first.
    """

    def __init__(self, file: str, name: str, *, named: bool = False) -> None:
        self.file, self.name, self.named = file, name, named
        self.numbers = array("d")
        self.codes = array("i")
        self.texts: dict[str, int] = {}
        self.rows: list[int] = []

    def add(self, text: str, row: int) -> None:
        """Add the field of the next row.

        Raises:
            UserError: It is a number that is not finite, or one text too many.
        """
        number, code = np.nan, -1
        if text not in MISSING:
            found = None if self.named or CODE.fullmatch(text) else number_of(text)
            if found is None:
                code = self.texts.setdefault(text, len(self.texts) + 1)
                if code > len(self.rows):
                    self.rows.append(row)
                if code > MOST_CATEGORIES:
                    raise self.error(
                        f"has more than {MOST_CATEGORIES} different texts, such as {short(text)}: "
                        f"{self.drop()}"
                    )
            elif abs(found) <= LARGEST:
                number, code = found, 0
            else:
                raise self.error(f"holds {text}, which is not finite as a float32", row)
        self.numbers.append(number)
        self.codes.append(code)

    def kind(self) -> str:
        """Find out what the column holds: one of `KINDS`.

        Raises:
            UserError: Nothing, numbers beside texts, dates, or what names single rows.
        """
        codes = np.array(self.codes)
        numbers, texts = int((codes == 0).sum()), int((codes > 0).sum())
        if not numbers and not texts:
            raise self.error(f"is empty in all rows: {self.drop()}")
        if numbers and texts:
            raise self.error(
                f"holds {short(next(iter(self.texts)))}, while {numbers} of its values are "
                f"numbers: correct it, leave it empty, or set data.categories=[{self.name}]",
                self.rows[0],
            )
        if numbers:
            if self._counts_rows(codes):
                raise self.error(f"looks like an id: {self.drop()}")
            return "number"
        if self.named:
            return "category"
        if {text.casefold() for text in self.texts} <= {"true", "false"}:
            return "boolean"
        first = short(next(iter(self.texts)))
        if all(DATE.fullmatch(text) for text in self.texts):
            raise self.error(
                f"holds dates, such as {first}: put numbers in their place, such as the month or "
                f"the days since an event, or {self.drop()}"
            )
        if len(self.texts) > max(FEW, texts / 2):
            raise self.error(
                f"looks like an id or free text: {len(self.texts)} of {texts} values differ, such "
                f"as {first}: {self.drop()}"
            )
        return "category"

    def describe(self, train: NDArray[np.int64]) -> tuple[dict[str, Any], NDArray[np.float32]]:
        """Describe the column for `InputSpec`, and encode it.

        Args:
            train: The positions of the training rows, of which the statistics are.

        Returns:
            The description, and a number for each row of the file.

        Raises:
            UserError: As for `kind`, or the column is empty in the training rows.
        """
        kind, codes = self.kind(), np.array(self.codes)
        if (codes[train] < 0).all():
            raise self.error(f"is empty in all training rows: {self.drop()}")
        if kind == "number":
            values = np.array(self.numbers)
            return number_column(self.name, values[train]), values.astype(np.float32)
        texts = ["", *self.texts]
        if kind == "boolean":
            values = np.array([np.nan] + [float(text.casefold() == "true") for text in texts[1:]])
            values = values[np.maximum(codes, 0)]
            return number_column(self.name, values[train], "boolean"), values.astype(np.float32)
        counts = np.bincount(codes[train][codes[train] > 0], minlength=len(texts))
        categories = sorted(text for code, text in enumerate(texts) if counts[code])
        place = {text: number for number, text in enumerate(categories, start=1)}
        positions = np.array([place.get(text, 0) for text in texts], np.float32)
        column = {
            "name": self.name,
            "kind": "category",
            "missing": bool((codes[train] < 0).any()),
            "categories": categories,
            "common": texts[int(counts.argmax())],
        }
        return column, positions[np.maximum(codes, 0)]

    def error(self, problem: str, row: int = 0) -> UserError:
        """Make an error that names the file, the row if there is one, and the column."""
        place = f"{self.file}:{row}" if row else self.file
        return UserError(f"{place}, column {self.name!r} {problem}")

    def drop(self) -> str:
        """Say how the column is left out."""
        return f"drop it with data.drop=[{self.name}]"

    def _counts_rows(self, codes: NDArray[np.int32]) -> bool:
        """Say whether all numbers are whole and different, and count the rows or are called id."""
        numbers = np.unique(np.array(self.numbers))
        if len(numbers) < len(codes) or len(codes) <= FEW or (codes < 0).any():
            return False
        whole = bool((numbers == np.rint(numbers)).all())
        without_gaps = numbers[-1] - numbers[0] == len(numbers) - 1
        return whole and (without_gaps or bool(ID.search(self.name)))


def number_column(name: str, values: NDArray[np.float64], kind: str = "number") -> dict[str, Any]:
    """Describe a column of numbers or booleans for `InputSpec`.

    Args:
        name: Its name.
        values: The values of the training rows; NaN is missing. One at least is there.
        kind: `number` or `boolean`.
    """
    present = values[~np.isnan(values)]
    return {
        "name": name,
        "kind": kind,
        "missing": len(present) < len(values),
        "mean": float(present.mean()),
        "deviation": float(present.std()),
        "median": float(np.median(present)),
        "low": float(present.min()),
        "high": float(present.max()),
    }
