"""What the tests of data sets read: small texts."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

WORDS = ["sun", "rain", "snow", "wind", "fog", "hail", "storm", "cloud", "frost", "heat", "ice"]


def samples(count: int) -> list[tuple[str, str]]:
    """Make texts with a class that a single word gives away."""
    good = [(f"a good day with {WORDS[number % 11]} {number}", "good") for number in range(count)]
    bad = [(f"a bad night with {WORDS[number % 11]} {number}", "bad") for number in range(count)]
    return good + bad


def write_lines(path: Path, rows: Iterable[tuple[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def texts(more: int = 0) -> list[str]:
    write_lines(Path("texts.jsonl"), samples(10 + more))
    return ["data.source=texts.jsonl"]


# For each data set of configs/data/ that reads files: a function that writes some to the current
# folder, with so many more samples of each class, and returns the options that name them
SOURCES: dict[str, Callable[..., list[str]]] = {"texts": texts}
