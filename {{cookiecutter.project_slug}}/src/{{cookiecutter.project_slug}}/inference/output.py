"""Printing the answers about samples: as plain lines, as JSON or as a table."""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import fields

from .predictor import Answer
from .target import Target


def print_answers(answers: Sequence[Answer], target: Target, *, as_json: bool) -> None:
    """Print what the model says, and on standard error why a sample can't be read.

    Args:
        answers: One answer for each sample.
        target: What the model predicts.
        as_json: Print JSON, even on a terminal.
    """
    for answer in answers:
        if answer.problem:
            print(f"Error: {plain(answer.problem)}", file=sys.stderr)
    if as_json:
        rows = [to_row(answer, target) for answer in answers]
        print(json.dumps(rows, indent=2, allow_nan=False))
    elif sys.stdout.isatty():
        print_table(answers, target)
    else:
        print_lines(answers)


def to_row(answer: Answer, target: Target) -> dict[str, object]:
    """Describe an answer with values that JSON can hold; all are null for a broken sample."""
    row: dict[str, object] = {"name": answer.name}
    row |= dict.fromkeys(one.name for one in fields(target.prediction))
    if answer.problem:
        return row | {"error": answer.problem}
    row |= vars(answer.predictions[0])
    if len(answer.predictions) > 1:
        row["top"] = [vars(prediction) for prediction in answer.predictions]
    return row


def print_lines(answers: Sequence[Answer]) -> None:
    """Print a line for each readable sample: its name, and the values of each prediction."""
    for answer in answers:
        columns = [plain(answer.name)]
        for prediction in answer.predictions:
            columns += map(plain, prediction.fields())
        if answer.predictions:
            print(*columns, sep="\t")


def print_table(answers: Sequence[Answer], target: Target) -> None:
    """Print a table with a row for each prediction of each readable sample."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("sample", *target.prediction.headings)
    for answer in answers:
        name = answer.name
        for prediction in answer.predictions:
            # Rich reads markup such as [red] in a str, and none in a Text
            cells = (Text(plain(cell)) for cell in [name, *prediction.cells()])
            table.add_row(*cells)
            name = ""
    if table.row_count:
        Console().print(table)


def plain(text: str) -> str:
    """Write control characters as escapes: in a name, they could end a line or move the cursor.

    So are the bytes of a file's name that are no text, which Python holds as U+DC80 to U+DCFF.
    """
    hidden = "[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"
    return re.sub(hidden, lambda found: repr(found[0])[1:-1], text)
