"""Predictions for the rows of a table file."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import UserError
from ..datasets.inputs import InputSpec
from ..datasets.rows import TableFile, select
from .model_file import replacing
from .predictor import Answer, Predictor, answer_each
from .target import Target

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
    """Predict rows, a batch at a time.

    A row that has a wrong value does not stop the others.

    Args:
        predictor: The model.
        rows: The rows, as `read_rows` returns them.
        count: How many predictions to list for each, at most.

    Returns:
        One answer for each row, in order.
    """

    def read(place: int) -> NDArray[np.float32]:
        name, row = rows[place]
        inputs: NDArray[np.float32] = predictor.input_spec.encode([row], [name])[0]
        return inputs

    return answer_each(predictor, [name for name, _ in rows], read, count, BATCH)


def write_predictions(output: Path, path: Path, answers: Sequence[Answer], target: Target) -> None:
    """Write a table as CSV, with the prediction for each row, and the probability of a class.

    These are columns more, which stay empty in rows that have a wrong value. A column that is
    called like one of the table gets a `_`.

    Args:
        output: The file to write; it is replaced at once.
        path: The table that was read.
        answers: One answer for each of its rows.
        target: What the model predicts.

    Raises:
        UserError: `output` is the table itself, or can't be written.
    """
    if output.exists() and output.samefile(path):
        raise UserError(f"--output {output} is the table itself: name another file")
    table = TableFile(path)
    header = list(table.header)
    added = ["prediction", *target.prediction.headings[1:]]
    for column in added:
        while column in header:
            column += "_"  # noqa: PLW2901
        header.append(column)
    try:
        with replacing(output) as partial, partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=table.separator, lineterminator="\n")
            writer.writerow(header)
            for (_, fields), answer in zip(table.rows, answers, strict=True):
                empty = ("",) * len(added)
                found = astuple(answer.predictions[0]) if answer.predictions else empty
                # A float32 has seven digits
                cells = (f"{x:.7g}" if isinstance(x, float) else x for x in found)
                writer.writerow([*fields, *cells])
    except OSError as error:
        raise UserError(f"--output {output} can't be written: {error.strerror or error}") from error
