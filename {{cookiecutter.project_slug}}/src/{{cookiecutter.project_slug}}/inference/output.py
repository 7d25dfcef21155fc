"""Printing the answers about samples: as plain lines, as JSON or as a table."""

import json
import re
import sys
from collections.abc import Sequence

from .predictor import Answer


def print_answers(answers: Sequence[Answer], *, as_json: bool) -> None:
    """Print what the model says, and on standard error why a sample can't be read.

    Args:
        answers: One answer for each sample.
        as_json: Print JSON, even on a terminal.
    """
    for answer in answers:
        if answer.problem:
            print(f"Error: {plain(answer.problem)}", file=sys.stderr)
    if as_json:
        print(json.dumps([to_row(answer) for answer in answers], indent=2, allow_nan=False))
    elif sys.stdout.isatty():
        print_table(answers)
    else:
        print_lines(answers)


def to_row(answer: Answer) -> dict[str, object]:
    """Describe an answer with values that JSON can hold; the class of a broken sample is null."""
    row: dict[str, object] = {"name": answer.name, "label": None, "probability": None}
    if answer.problem:
        return row | {"error": answer.problem}
    row |= vars(answer.predictions[0])
    if len(answer.predictions) > 1:
        row["top"] = [vars(prediction) for prediction in answer.predictions]
    return row


def print_lines(answers: Sequence[Answer]) -> None:
    """Print a line for each readable sample: name, class, probability, and more of the last two."""
    for answer in answers:
        columns = [plain(answer.name)]
        for prediction in answer.predictions:
            columns += [plain(prediction.label), f"{prediction.probability:.4f}"]
        if answer.predictions:
            print(*columns, sep="\t")


def print_table(answers: Sequence[Answer]) -> None:
    """Print a table with a row for each class of each readable sample."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("sample", "class", "probability")
    for answer in answers:
        name = plain(answer.name)
        for prediction in answer.predictions:
            # Rich reads markup such as [red] in a str, and none in a Text
            label = Text(plain(prediction.label))
            table.add_row(Text(name), label, f"{prediction.probability:.1%}")
            name = ""
    if table.row_count:
        Console().print(table)


def plain(text: str) -> str:
    """Write control characters as escapes: in a name, they could end a line or move the cursor.

    So are the bytes of a file's name that are no text, which Python holds as U+DC80 to U+DCFF.
    """
    hidden = "[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"
    return re.sub(hidden, lambda found: repr(found[0])[1:-1], text)
