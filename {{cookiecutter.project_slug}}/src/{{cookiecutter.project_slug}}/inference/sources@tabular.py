"""Predictions for the rows of a table file."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from .. import UserError
from ..datasets.inputs import InputSpec
from ..datasets.rows import TableFile, select
from .predictor import Answer, Predictor

BATCH = 1024  # rows in one call of the model

# The name of a row, such as `table.csv:17`, and its fields by the name of the column
Named = tuple[str, Mapping[str, str]]


def read_rows(path: Path, spec: InputSpec) -> list[Named]:
    """Read the columns that the model knows from a CSV or Parquet file.

    Raises:
        UserError: The file can't be read, lacks a column, or has no rows.
    """
    table = TableFile(path)
    rows: list[Named] = list(select(table, spec))
    if not rows:
        raise UserError(f"{path} has a header, and no rows below it")
    return rows


def predict_rows(predictor: Predictor, rows: Sequence[Named], count: int = 1) -> Iterator[Answer]:
    """Classify rows, a batch at a time.

    A row that has a wrong value does not stop the others.

    Args:
        predictor: The model.
        rows: The rows, as `read_rows` returns them.
        count: How many classes to list for each, at most.

    Yields:
        One answer for each row, in order.
    """
    for start in range(0, len(rows), BATCH):
        inputs, problems = [], {}
        batch = rows[start : start + BATCH]
        for name, row in batch:
            try:
                inputs.append(predictor.input_spec.encode([row], [name])[0])
            except UserError as error:
                problems[name] = str(error)
        ranked = iter(predictor.rank(np.stack(inputs), count) if inputs else [])
        for name, _ in batch:
            if name in problems:
                yield Answer(name, problem=problems[name])
            else:
                yield Answer(name, next(ranked))


def write_predictions(output: Path, path: Path, answers: Sequence[Answer]) -> None:
    """Write a table as CSV, with the most probable class of each row and its probability.

    These are two columns more, which stay empty in rows that have a wrong value. A column that is
    called like one of the table gets a `_`.

    Args:
        output: The file to write; it is replaced at once.
        path: The table that was read.
        answers: One answer for each of its rows.

    Raises:
        UserError: `output` is the table itself, or can't be written.
    """
    if output.exists() and output.samefile(path):
        raise UserError(f"--output {output} is the table itself: name another file")
    table = TableFile(path)
    header = list(table.header)
    for column in ("prediction", "probability"):
        while column in header:
            column += "_"  # noqa: PLW2901
        header.append(column)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as folder:
            partial = Path(folder, output.name)
            with partial.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, delimiter=table.separator, lineterminator="\n")
                writer.writerow(header)
                for (_, fields), answer in zip(table.rows, answers, strict=True):
                    best = answer.predictions[0] if answer.predictions else None
                    found = [best.label, f"{best.probability:.6f}"] if best else ["", ""]
                    writer.writerow([*fields, *found])
            partial.replace(output)
    except OSError as error:
        raise UserError(f"--output {output} can't be written: {error.strerror or error}") from error
