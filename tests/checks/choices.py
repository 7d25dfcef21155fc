"""Check that nothing of a project betrays what was not chosen."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bakery import questions
from forest import Forest, Found, Where, union

# The words that betray a choice, whichever question it belongs to. Only test data: a choice
# without a line here is looked for by its own name. Texts are searched
# line by line, so a name of two words allows for a break between them. A choice whose name is a
# word of everyday English, as `text`, gets narrow words: those that only its own files hold.
WORDS = {
    # An image may be that of a container
    "image": r"pictures?|pixels?|handwritten|cnn|data=digits|image[ _-](folder|shape|classif\w+)",
    "text": r"emojis?|n-?grams?|tokeni[sz]ers?|predict[ _]texts|texts\.csv|text classif\w+"
    r"|hugging[ _-]?face|transformers",
    # Data sets of texts may be Parquet files too
    "tabular": r"tabular|breast[ _-]cancer|read_parquet|pyarrow|pandas|table\.csv|table rows",
    "wandb": r"wandb|weights *(&|&amp;|and) *biases|weights (&|&amp;)$|^ *(&|&amp;|and) *biases",
    "comet": r"comet(_?ml)?",
    "tensorboard": r"tensorboardx?",
    "conda": r"(mini|ana)?conda(-forge)?|miniforge|mamba",
    "uv": r"uv",
    "MIT": r"mit license",
    "BSD-3-Clause": r"bsd[ -]3-clause",
    "Apache-2.0": r"apache license|apache-2\.0",
    "Proprietary": r"all rights reserved",
    "github": r"github actions|\.github",
    "gitlab": r"gitlab(-ci)?",
    "gcp": r"gcp|google( cloud|$)|gcloud|gs://",
    "aws": r"aws|s3://|amazon|lambda function",
    "azure": r"azure",
    "docker": r"docker(file)?",
    "onnx_export": r"onnx(runtime)?",
}
# Where a word is no trace: images and training machines use uv, whatever is used beside them
AT_HOME = {"uv": ("dockerfiles/", "infra/", "tests/cloud/")}
IN_THIS_FILE = "in tests/checks/choices.py"


def traces(forest: Forest, toggles: Mapping[str, list[Any]] | None = None) -> Found:
    """Find words of choices that were not made, in names and in contents."""
    found = Found()
    lines = dict(_lines(forest))
    for question, choices in (toggles or questions()).items():
        if question == "python_version":
            continue  # 3.13 is supported whichever is the oldest
        answered = forest.chosen(question)
        is_flag = isinstance(choices[0], bool)
        for choice in [question] if is_flag else [one for one in choices if one != "none"]:
            others = {a: w for a, w in answered.items() if (a is False if is_flag else a != choice)}
            for problem, where in _traces_of(lines, choice, union(others.values())).items():
                for answer, there in others.items():
                    said = f"{problem}, but {question} is {answer!r}; wrap the line in a"
                    remedy = f"condition, or narrow the words of {choice} in WORDS {IN_THIS_FILE}"
                    found.note(f"{said} {remedy}", where & there)
    return found


def _traces_of(lines: dict[str, dict[str, Where]], choice: str, away: Where) -> Found:
    """Find the words of a choice in the combinations `away`, where it was not made."""
    words = WORDS.get(choice, re.escape(choice).replace("_", "[ _-]?"))
    pattern = re.compile(rf"(?<![a-z0-9])(?:{words})(?![a-z0-9])", re.IGNORECASE)
    found = Found()
    for path, lines_of_path in lines.items():
        if choice in AT_HOME and path.startswith(AT_HOME[choice]):
            continue
        for line, where in lines_of_path.items():
            if where & away and (match := pattern.search(line)):
                found.note(f"{path}: holds {match.group()!r}", where & away)
    return found


def _lines(forest: Forest) -> Iterator[tuple[str, dict[str, Where]]]:
    yield "file names", {path.replace("_", " "): w for path, w in forest.present.items()}
    for path, texts in forest.said():
        if path in forest.lines:
            yield path, forest.lines[path]
            continue
        found = Found()
        for text, where in texts.items():
            for line in text.splitlines():
                found.note(line, where)
        yield path, found
