"""The target of a table: the class of each row, or a number."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .. import UserError
from .columns import FEW, Column
from .inputs import number_of, short

TARGET_KINDS = ("auto", "classes", "number")


class Target:
    """The target while a file is read: as classes and as a number, until it is known which.

    Args:
        file: The name of the file, for messages.
        name: The name of the column.
        kind: One of `TARGET_KINDS`. `auto` looks at the values: they are a number if all are
            numbers, and one has a fraction or more than 20 differ.

    Raises:
        UserError: There is no such kind.
    """

    def __init__(self, file: str, name: str, kind: str = "auto") -> None:
        if kind not in TARGET_KINDS:
            raise UserError(f"data.target_kind is {kind!r}: it is {', '.join(TARGET_KINDS)}")
        kinds = TARGET_KINDS[1:] if kind == "auto" else (kind,)
        self.columns = {kind: Column(file, name, named=kind == "classes") for kind in kinds}

    def add(self, text: str, row: int) -> None:
        """Add the field of the next row.

        Raises:
            UserError: It can be neither: it is not finite, or one text too many.
        """
        for kind, column in list(self.columns.items()):
            try:
                column.add(text, row)
            except UserError:
                del self.columns[kind]
                if not self.columns:
                    raise

    def found(self) -> tuple[str, Column]:
        """Find out what the target is: `classes` or `number`, and its column."""
        number = self.columns.get("number")
        if number is None or (len(self.columns) > 1 and not is_number(number)):
            return "classes", self.columns["classes"]
        return "number", number


def is_number(column: Column) -> bool:
    """Say whether all values are numbers, and one has a fraction or more than 20 differ."""
    numbers = np.unique(np.array(column.numbers)[np.array(column.codes) == 0])
    fractions = bool((numbers != np.rint(numbers)).any())
    return not column.texts and (fractions or len(numbers) > FEW)


def find_classes(target: Column, rows: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
    """Take the classes and the labels from the column of the target.

    Args:
        target: The column, which was read as `named`.
        rows: The number of each row in the file.

    Returns:
        Class names, in the order of numbers if all are whole numbers, else of the alphabet; and
        int64 labels of shape (rows,).

    Raises:
        UserError: Rows have no class, or all have the same one, or nearly each has its own.
    """
    codes = np.array(target.codes)
    refuse_empty(target, codes, rows)
    texts = list(target.texts)
    if len(texts) < 2:
        raise target.error(f"is {texts[0]!r} in all rows: there is nothing to learn")
    if len(texts) > max(FEW, len(codes) / 2):
        odd = next((text for text in texts if number_of(text) is None), None)
        hint = f"; {short(odd)} is no number" if odd is not None else ""
        raise target.error(
            f"has {len(texts)} values in {len(codes)} rows, such as {texts[0]!r}: rows are sorted "
            f"into classes, each of several rows; a number is predicted where all are one{hint}"
        )
    whole = all(text.lstrip("-").isdecimal() for text in texts)
    classes = sorted(texts, key=int) if whole else sorted(texts)
    places = np.array([0] + [classes.index(text) for text in texts], np.int64)
    return classes, places[codes]


def find_numbers(target: Column, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Take the numbers from the column of the target.

    Args:
        target: The column, which was not read as `named`.
        rows: The number of each row in the file.

    Returns:
        float32 numbers of shape (rows,).

    Raises:
        UserError: Rows have none, or a text in its place, or all have the same one.
    """
    codes = np.array(target.codes)
    refuse_empty(target, codes, rows)
    if target.texts:
        text = short(next(iter(target.texts)))
        raise target.error(
            f"holds {text}, which is no number: correct it, or set data.target_kind=classes",
            target.rows[0],
        )
    numbers = np.array(target.numbers, np.float32)
    if (numbers == numbers[0]).all():
        raise target.error(f"is {numbers[0]:g} in all rows: there is nothing to learn")
    return numbers


def refuse_empty(target: Column, codes: NDArray[np.int32], rows: NDArray[np.int64]) -> None:
    """Refuse a target that rows lack.

    Raises:
        UserError: Names the first one.
    """
    if (empty := np.flatnonzero(codes < 0)).size:
        raise target.error(
            f"is empty in {len(empty)} rows: fill it in, or remove them", int(rows[empty[0]])
        )


def refuse_copies(
    columns: Sequence[Column],
    values: NDArray[np.float32],
    labels: NDArray[np.int64] | NDArray[np.float32],
) -> None:
    """Refuse a column that only repeats the target, such as the number of the class.

    Args:
        columns: The columns.
        values: The rows as numbers, of shape (rows, columns).
        labels: Classes, as int64, or numbers, as float32, of shape (rows,).

    Raises:
        UserError: A column holds the target's own numbers; or each class has one value in it, and
            each value belongs to one class.
    """
    if len(labels) <= FEW:
        return
    number = labels.dtype == np.float32
    classes = len(np.unique(labels))
    for column, numbers in zip(columns, values.T, strict=True):
        if number:
            same = np.array_equal(numbers, labels)
        else:
            known, codes = np.unique(numbers, return_inverse=True)
            pairs = np.unique(codes * classes + labels)
            same = len(known) == classes and len(pairs) == classes
        if same:
            raise column.error(f"says the same as the target in all rows: {column.drop()}")
