"""Reading texts and their labels from tables, JSON lines and text files, line by line."""

import csv
import json
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_LE, lookup
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from .. import UserError
from .folders import some
from .inputs import clean

DELIMITERS = {".csv": ",;\t|", ".tsv": "\t", ".tab": "\t"}
JSON_LINES = {".jsonl", ".ndjson"}
TABLES = {*DELIMITERS, *JSON_LINES}
# A longer field is rather one whose closing quote is missing
csv.field_size_limit(10_000_000)


class Sample(NamedTuple):
    """A text as `clean` returns it, the name of its class, and the place it was read from."""

    text: str
    label: str
    place: str


class Unusable(NamedTuple):
    """The place of a text that can't be used, and the reason."""

    place: str
    reason: str


class Columns(NamedTuple):
    """The names of the columns, or of the keys, with the text and with its label."""

    text: str
    label: str


def read_samples(path: Path, columns: Columns, encoding: str | None) -> Iterator[Sample | Unusable]:
    """Read the rows of a table or of a file of JSON lines.

    Args:
        path: A file with one of the suffixes `TABLES`. The delimiter of a `.csv` is the one that
            splits its header into the columns: comma, semicolon, tab or bar.
        columns: The columns that are read.
        encoding: As for `open_text`.

    Yields:
        A sample for each row, or the reason why there is none.

    Raises:
        UserError: The file can't be read at all, or is of another kind, or lacks a column.
    """
    suffix = path.suffix.lower()
    if suffix not in TABLES:
        raise UserError(f"{path} is no table: its name must end with {', '.join(sorted(TABLES))}")
    read = read_json_lines if suffix in JSON_LINES else read_table
    for line, text, label in read(path, columns, encoding):
        place = f"{path.name}:{line}"
        if isinstance(text, UserError):
            yield Unusable(place, str(text))
            continue
        try:
            yield Sample(clean(text), clean_label(label, columns), place)
        except UserError as error:
            yield Unusable(place, str(error))


def clean_label(label: str, columns: Columns) -> str:
    """Bring the name of a class into one form.

    Raises:
        UserError: There is none.
    """
    try:
        return clean(label)
    except UserError as error:
        raise UserError(f"the {columns.label} is empty") from error


def read_table(
    path: Path, columns: Columns, encoding: str | None
) -> Iterator[tuple[int, str | UserError, str]]:
    """Read a table with a header: the line, the text and the label of each row.

    Raises:
        UserError: The table is empty, lacks a column, or its quotes are wrong.
    """
    with open_text(path, encoding, newline="") as file:
        header, delimiter = read_header(path, file, columns)
        where = [header.index(name) for name in columns]
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        before = 1  # lines, with the header
        try:
            for row in reader:
                line, before = before + 1, 1 + reader.line_num
                if len(row) == len(header):
                    text, label = (row[column] for column in where)
                    yield line, text, label
                elif row:  # an empty line is none
                    wrong = f"{len(row)} fields, but the header has {len(header)}"
                    yield line, UserError(wrong), ""
        except csv.Error as error:
            raise UserError(
                f"{path}, line {before + 1}: {error}. A text with a line break, a quote or a "
                "delimiter stands in quotes, and a quote inside of it is written twice"
            ) from error


def read_header(path: Path, file: IO[str], columns: Columns) -> tuple[list[str], str]:
    """Read the first line of a table, and find its delimiter.

    Raises:
        UserError: A column is missing, or is there twice.
    """
    first = file.readline()
    headers = []
    for delimiter in DELIMITERS[path.suffix.lower()]:
        names = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
        headers.append(names)
        if set(columns) <= set(names):
            twice = [name for name in columns if names.count(name) > 1]
            if twice:
                raise UserError(f"{path} has two columns {twice[0]}: rename one")
            return names, delimiter
    names = max(headers, key=len)
    missing = [name for name in columns if name not in names]
    raise UserError(
        f"{path} has no column {' and no column '.join(missing)} in its first line, but "
        f"{some(names) or 'nothing'}: name yours with data.text and data.label"
    )


def read_json_lines(
    path: Path, columns: Columns, encoding: str | None
) -> Iterator[tuple[int, str | UserError, str]]:
    """Read a file with one JSON object a line: the line, the text and the label of each."""
    with open_text(path, encoding, newline="\n") as file:
        for line, content in enumerate(file, 1):
            if not content.strip():
                continue
            try:
                found = json.loads(content)
            except (ValueError, RecursionError) as error:
                yield line, UserError(f"no JSON ({error})"), ""
                continue
            keys = list(found) if isinstance(found, dict) else []
            missing = [name for name in columns if name not in keys]
            if missing:
                yield line, UserError(f"no key {missing[0]}, but {some(keys) or 'none'}"), ""
                continue
            text, label = (found[name] for name in columns)
            if not isinstance(text, str):
                yield line, UserError(f"{columns.text} is no text in quotes"), ""
            elif isinstance(label, dict | list | None):
                yield line, UserError(f"{columns.label} is no text and no number"), ""
            else:
                yield line, text, label if isinstance(label, str) else json.dumps(label)


def read_text(path: Path, encoding: str | None) -> str:
    """Read a file that is one text.

    Raises:
        UserError: It can't be read, or is in another encoding.
    """
    with open_text(path, encoding) as file:
        return file.read()


@contextmanager
def open_text(path: Path, encoding: str | None, newline: str | None = None) -> Iterator[IO[str]]:
    """Open a text file, and explain what goes wrong inside of the block.

    Args:
        path: The file.
        encoding: Such as `cp1252`; None takes UTF-8, or UTF-16 where the file starts with its mark.
        newline: As for `open`.

    Raises:
        UserError: The file can't be read, or is in another encoding.
    """
    try:
        with path.open("rb") as binary:
            start = binary.read(4)
        known = encoding or encoding_of(start)
        with path.open(encoding=known, newline=newline) as file:
            yield file
    except UnicodeError as error:
        raise UserError(
            f"{path}{place_of(path, known)} is not in the encoding {known}: save it as UTF-8, or "
            "name its encoding, as data.encoding=cp1252 does"
        ) from error
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from error


def encoding_of(start: bytes) -> str:
    """Name the encoding of a file by its first bytes; UTF-8 where they don't say."""
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-32" if start == BOM_UTF32_LE else "utf-16"
    return "utf-8-sig" if start.startswith(BOM_UTF8) else "utf-8"


def place_of(path: Path, encoding: str) -> str:
    """Find the first line and byte of a file that is not in its encoding; none if unknown."""
    if not lookup(encoding).name.startswith("utf-8"):
        return ""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return f", line {number}, byte {error.start + 1} (0x{line[error.start]:02x})"
    return ""


def check_encoding(encoding: str | None) -> None:
    """Refuse the name of no encoding.

    Raises:
        UserError: Python knows no such encoding.
    """
    try:
        if encoding is not None:
            "".encode(encoding)
    except (LookupError, TypeError, ValueError) as error:
        raise UserError(f"data.encoding is {encoding!r}: {error}") from error
