"""What the model takes: one row of a table as numbers, and the columns that say what they mean."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import UserError

KINDS = ("number", "category", "boolean")
# What stands for a missing value in files of text
MISSING = {"", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>", "#N/A"}
# Python's own `float` takes 1_000 and nan too
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
LARGEST = float(np.finfo(np.float32).max)
MOST_NAMED = 10  # in one message


@dataclass(frozen=True)
class InputSpec:
    """What a model must know to turn a row into its input; a model's file holds it.

    An input is one float32 number for each column: a number as it is, NaN where it is missing; a
    boolean as 0 or 1, NaN where it is missing; a category as its position in the list of the
    column, from 1, and 0 where it is missing or in no training row.

    Args:
        columns: One dictionary for each column. All have `name`, `kind` (one of `KINDS`) and
            `missing`, which says whether training rows lack the value. A number or a boolean has
            `mean`, `deviation`, `median`, `low` and `high` of the training rows; a category has
            `categories`, a list of texts, and `common`, the one that occurs most.
        target: What is predicted, described like a column of numbers; None where that is a class.

    Raises:
        UserError: There are no columns, or they are not described in this way.
    """

    columns: list[dict[str, Any]]
    target: dict[str, Any] | None = None

    dtype: ClassVar[type[np.generic]] = np.float32
    # Axes of an input that may have another length in each batch
    varying: ClassVar[tuple[int, ...]] = ()

    def __post_init__(self) -> None:
        """Refuse columns that could not be encoded."""
        names = [column.get("name") for column in self.columns]
        if not names or len(set(names)) < len(names):
            raise UserError("the columns of the table need names, each another one")
        for column in self.columns:
            needed = {"name", "kind", "missing"}
            needed |= (
                {"categories", "common"}
                if column.get("kind") == "category"
                else {"mean", "deviation", "median", "low", "high"}
            )
            if column.get("kind") not in KINDS or not needed <= column.keys():
                raise UserError(f"column {column.get('name')!r} is not described: run `prepare`")

    @property
    def shape(self) -> list[int]:
        """The shape of an input: the number of columns."""
        return [len(self.columns)]

    @cached_property
    def names(self) -> list[str]:
        """The names of the columns, in the order of the numbers of an input."""
        return [column["name"] for column in self.columns]

    @cached_property
    def positions(self) -> list[dict[str, int]]:
        """For each column, the number of each of its categories; empty for other kinds."""
        return [
            {text: number for number, text in enumerate(column.get("categories", []), start=1)}
            for column in self.columns
        ]

    def network_options(self) -> dict[str, Any]:
        """Return what the constructor of a network may ask for, by the name of its parameter."""
        return {"columns": self.columns}

    def same_inputs(self, other: "InputSpec") -> bool:
        """Say whether inputs that are made for one of the two mean the same to the other.

        Statistics of training rows don't matter: each network has its own.
        """
        mine, theirs = (
            [(column["name"], column["kind"], column.get("categories")) for column in spec.columns]
            + [spec.target and spec.target["name"]]
            for spec in (self, other)
        )
        return mine == theirs

    def zeros(self, count: int) -> NDArray[np.float32]:
        """Make `count` equal inputs (count, columns) of usual values, for a dry run."""
        return np.repeat(self.encode([self.typical()]), count, axis=0)

    def trim(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cut off what is padding in all samples of a batch: rows have none."""
        return inputs

    def typical(self) -> dict[str, Any]:
        """Make a row of usual values: the median, or the most common category, of each column."""
        return {
            column["name"]: column["common"]
            if column["kind"] == "category"
            else column["median"] >= 0.5
            if column["kind"] == "boolean"
            else column["median"]
            for column in self.columns
        }

    def summary(self) -> dict[str, Any]:
        """Describe the columns in short, for those who ask the service."""
        shown = {"number": ["low", "high"], "category": ["categories"], "boolean": []}
        summary: dict[str, Any] = {
            "columns": [
                {key: column[key] for key in ["name", "kind", "missing", *shown[column["kind"]]]}
                for column in self.columns
            ]
        }
        if self.target:
            summary["target"] = {key: self.target[key] for key in ("name", "low", "high")}
        return summary

    def preprocessing(self) -> dict[str, str]:
        """Describe how a row becomes an input, for people who serve the file without this code."""
        described = {
            "input": "float32, one number for each of the columns, in their order, not scaled",
            "missing": "NaN for a number or a boolean, 0 for a category",
            "category": "its position in categories, from 1; 0 for any other text",
            "boolean": "1 for true, 0 for false",
        }
        if self.target:
            described["output"] = f"{self.target['name']}, in the unit of the table"
        return described

    def __str__(self) -> str:
        """Return the number of columns, in words."""
        return f"{len(self.columns)} column{'s' if len(self.columns) > 1 else ''}"

    def encode(
        self, rows: Sequence[Mapping[str, Any]], names: Sequence[str] = ()
    ) -> NDArray[np.float32]:
        """Turn rows into inputs.

        Args:
            rows: The value of each column by its name: a value of JSON, or the text of a field.
            names: What errors call each row; else `rows[0]` and so on.

        Returns:
            Inputs of shape (rows, columns).

        Raises:
            UserError: A row lacks a column or has another one, or a value can't be right; the
                message names the row and the column.
        """
        inputs = np.empty((len(rows), len(self.columns)), np.float32)
        for number, row in enumerate(rows):
            try:
                self._check_names(row)
                for position, column in enumerate(self.columns):
                    inputs[number, position] = self._encode(position, column, row[column["name"]])
            except UserError as error:
                name = names[number] if names else f"rows[{number}]"
                raise UserError(f"{name}{error}") from error
        return inputs

    def decode(self, row: NDArray[np.float32]) -> dict[str, Any]:
        """Turn an input of shape (columns,) back into the values of the row; None is missing."""
        values: dict[str, Any] = {}
        for column, number in zip(self.columns, row, strict=True):
            value: Any = float(str(number))  # 0.1, which is not exactly 0.1 in float32
            if column["kind"] == "category":
                value = ([None] + column["categories"])[int(number)]
            elif math.isnan(number):
                value = None
            elif column["kind"] == "boolean":
                value = bool(number)
            values[column["name"]] = value
        return values

    @cached_property
    def _known(self) -> set[str]:
        return set(self.names)

    def _check_names(self, row: Mapping[str, Any]) -> None:
        if row.keys() == self._known:
            return
        if lacking := [name for name in self.names if name not in row]:
            raise UserError(f" has no column {some(lacking)}")
        unknown = [name for name in row if name not in self._known]
        raise UserError(f" has the column {some(unknown)}, which the model does not know")

    def _encode(self, position: int, column: Mapping[str, Any], value: Any) -> float:
        """Turn one value into a number.

        Raises:
            UserError: The text that follows the name of the row.
        """
        where = f", column {column['name']!r}"
        if value is None or (isinstance(value, str) and value.strip() in MISSING):
            if not column["missing"]:
                raise UserError(f"{where} is empty, which it is in no training row")
            return 0.0 if column["kind"] == "category" else math.nan
        if column["kind"] == "category":
            number = self.positions[position].get(value.strip() if isinstance(value, str) else "")
            if number is None:
                allowed = some(column["categories"])
                raise UserError(f"{where} is {short(value)}; training rows have {allowed}")
            return number
        found = boolean(value) if column["kind"] == "boolean" else number_of(value)
        if found is None:
            needed = "true or false" if column["kind"] == "boolean" else "a number"
            raise UserError(f"{where} is {short(value)}, but has to be {needed}")
        if not abs(found) <= LARGEST:
            raise UserError(f"{where} is {short(value)}: a number of up to {LARGEST:.1e} is needed")
        return found


def number_of(value: Any) -> float | None:
    """Read a number of JSON or of a text, which may be infinite; None if it is none."""
    if isinstance(value, str):
        text = value.strip()
        return float(text) if NUMBER.fullmatch(text) or INFINITE.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:  # a whole number may have any number of digits
        return math.inf


def boolean(value: Any) -> float | None:
    """Read true or false, in small or large letters, as 1 or 0; None if it is neither."""
    text = str(value).strip().casefold()
    return {"true": 1.0, "false": 0.0}.get(text) if isinstance(value, bool | str) else None


def some(names: Sequence[str]) -> str:
    """Join texts for a message, the first ones of many."""
    shown = ", ".join(short(name) for name in names[:MOST_NAMED])
    return f"{shown} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else shown


def short(value: Any) -> str:
    """Write a value for a message, the start of a long one."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:50]}...{text[-1]}"
