"""Reading table files, in one way for training and for prediction: rows of text, one at a time."""

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO

from .. import UserError
from .inputs import InputSpec, short, some

SEPARATORS = ",;\t|"
# How numbers look in a file with decimal commas, and in all others; 1.234,5 is neither
COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?", re.ASCII)
POINT = re.compile(r"[+-]?(\d+\.\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
SAMPLE = 65_536  # characters at the start of a file, which show the separator

# The number of a row, as its file counts, and the text of each field
Row = tuple[int, list[str]]


class NoTextError(UserError):
    """A file holds no text, so it can be no CSV file."""


class TableFile:
    """A table in a CSV or Parquet file, read one row at a time.

    Args:
        path: The file. A name that ends with `.parquet` says that it is Parquet.
        content: The bytes of a CSV file that `path` only names.

    Attributes:
        name: The name of the file, for messages.
        separator: The character between its fields.
        header: The names of the columns; one without a name is called by its position: `column 3`.
        rows: The rows, which can be read once: for each its number (the line where it starts in
            a CSV file) and its fields as text. A value that is missing is an empty text. Decimal
            commas, which only files with another separator have, are points here. Rows without
            any value are left out.

    Raises:
        NoTextError: It holds no text in UTF-8 or UTF-16.
        UserError: The file can't be read, or its header is wrong. `rows` raises it for wrong rows.
    """

    def __init__(self, path: Path, content: BinaryIO | None = None) -> None:
        self.name = path.name
        self.separator = ","
        try:
            if content is None and path.suffix.lower() == ".parquet":
                rows = read_parquet(path)
            else:
                text = open_text(content or path.open("rb"))
                with readable(self.name):
                    self.separator = find_separator(text.read(SAMPLE))
                    text.seek(0)
                rows = read_csv(text, self.name, self.separator)
            _, names = next(rows, (0, []))
        except FileNotFoundError as error:
            raise UserError(f"{path}: no such file") from error
        except OSError as error:
            raise UserError(f"{path} can't be read: {error.strerror or error}") from error
        if not any(names):
            raise UserError(f"{self.name} is empty: its first line has to name the columns")
        self.header = [name or f"column {number}" for number, name in enumerate(names, start=1)]
        if twice := [name for name, count in Counter(self.header).items() if count > 1]:
            raise UserError(f"{self.name} has two columns {short(min(twice))}: rename one of them")
        self.rows = self._checked(rows)

    def _checked(self, rows: Iterator[Row]) -> Iterator[Row]:
        width = len(self.header)
        commas: set[int] = set()
        points: set[int] = set()
        for number, fields in rows:
            if not any(fields):
                continue
            if len(fields) != width:
                raise UserError(
                    f"{self.name}:{number} has {len(fields)} fields and the header {width}: is a "
                    f"field that holds {self.separator!r} not in quotes?"
                )
            if self.separator != ",":
                for column, text in enumerate(fields):
                    if "," in text and COMMA.fullmatch(text):
                        fields[column] = text.replace(",", ".")
                        commas.add(column)
                    elif "." in text and POINT.fullmatch(text):
                        points.add(column)
                if mixed := commas & points:
                    raise UserError(
                        f"{self.name}:{number}, column {self.header[min(mixed)]!r}: some of its "
                        "numbers have a decimal comma, others a point"
                    )
            yield number, fields


def select(table: TableFile, spec: InputSpec) -> Iterator[tuple[str, dict[str, str]]]:
    """Read the columns that a model knows; others, such as the target, may be there.

    Yields:
        For each row its name, such as `table.csv:17`, and its fields by the name of the column.

    Raises:
        UserError: The table lacks a column, or has a wrong row.
    """
    if lacking := [name for name in spec.names if name not in table.header]:
        raise UserError(f"{table.name} has no column {some(lacking)}; it has {some(table.header)}")
    places = [(name, table.header.index(name)) for name in spec.names]
    for row, fields in table.rows:
        yield f"{table.name}:{row}", {name: fields[place] for name, place in places}


def open_text(file: BinaryIO) -> TextIOWrapper:
    """Decode a file: UTF-16 where it starts with a byte-order mark that says so, else UTF-8."""
    start = file.read(2)
    file.seek(0)
    encoding = "utf-16" if start in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    return TextIOWrapper(file, encoding, newline="")


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Name the file where its bytes are no text.

    Raises:
        NoTextError: They are none.
    """
    try:
        yield
    except UnicodeError as error:
        raise NoTextError(f"{name} is no text in UTF-8: save it as `CSV UTF-8`") from error


def find_separator(sample: str) -> str:
    """Find the character that separates the fields, from the start of a file.

    It is the one of `SEPARATORS` that splits most of the first lines into as many fields as the
    header, and the header into most fields.
    """
    lines = sample.splitlines(keepends=True)[:20]

    def score(separator: str) -> tuple[int, int]:
        header, *rows = list(csv.reader(lines, delimiter=separator)) or [[]]
        even = sum(len(row) == len(header) for row in rows)
        return (even + 1, len(header)) if len(header) > 1 else (0, 0)

    return max(SEPARATORS, key=score)


def read_csv(text: TextIOWrapper, name: str, separator: str) -> Iterator[Row]:
    """Read the lines of a CSV file, the header too, without blanks around the fields.

    Raises:
        UserError: A line is no CSV, or no text.
    """
    with text, readable(name):
        # Strict, because a quote that nothing closes would take the rest of the file for one field
        reader = csv.reader(text, delimiter=separator, strict=True)
        line = 1
        try:
            for fields in reader:
                if fields:
                    yield line, [field.strip() for field in fields]
                line = reader.line_num + 1
        except csv.Error as error:
            raise UserError(f"{name}:{line} can't be read: {error}") from error


def read_parquet(path: Path) -> Iterator[Row]:
    """Read the header of a Parquet file, and its rows, counted from 1.

    Raises:
        UserError: pyarrow is not installed, or the file is damaged, or a column holds lists.
    """
    try:
        import pyarrow as pa
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise UserError(
            f"{path.name}: Parquet needs pyarrow: install the dependency group parquet, as with "
            "`pip install --group parquet`"
        ) from error
    try:
        file = ParquetFile(path)
        yield 0, [name.strip() for name in file.schema_arrow.names]
        number = 0
        for batch in file.iter_batches():
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                number += 1
                yield number, [as_text(value) for value in values]
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path.name} can't be read: {reason}") from error


def as_text(value: Any) -> str:
    """Write a value of Parquet as a field of CSV would hold it."""
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "" if missing else str(value).strip()
