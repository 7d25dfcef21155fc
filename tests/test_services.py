"""Whatever is sent to a service that is baked for texts or tables: an answer, never its error.

What may be sent and what the answer is, is found out here anew, from the documented rules, and by
ONNX Runtime alone. Hypothesis sends bodies of any JSON and files of any bytes.
"""

import codecs
import csv
import io
import itertools
import json
import math
import random
import struct
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import onnxruntime
import pytest
from bakery import bake
from hypothesis import example, given, settings
from hypothesis import strategies as st
from own_data import write_letters, write_table
from tools import PATIENCE, free_port, printed, run, serving

SLUG = "my_ml_project"
MOST = 64  # samples in a request
LONGEST = 10_000  # characters of a text
LENGTH = 400  # characters that the model reads
MOST_MARKS = 100  # combining characters that follow one another in a text
LARGEST = float(np.finfo(np.float32).max)
NUMBERS = {"length": False, "width": True}  # whether a value may be missing
PLACES = ["Süd, oben", "forest", "meadow; wet"]
COLUMNS = [*NUMBERS, "place", "wild"]

Values = dict[str, Any]

# A busy machine takes as long as it takes
UNHURRIED = settings(deadline=None, max_examples=100)


@dataclass(frozen=True)
class Service:
    """A service that runs.

    Attributes:
        client: Asks it.
        session: Its model, in ONNX Runtime.
        classes: The names of the classes, in the order of the logits.
    """

    client: httpx2.Client
    session: onnxruntime.InferenceSession
    classes: list[str]

    def send(self, body: Any) -> httpx2.Response:
        """Ask with a body of JSON, or with bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body)
        headers = {"content-type": "application/json"}
        return self.client.post("/predict", content=content, headers=headers)

    def upload(self, content: bytes) -> httpx2.Response:
        return self.client.post("/predict/file", files={"file": ("some", content)})

    def check(self, answer: httpx2.Response, inputs: np.ndarray) -> None:
        """Assert that the answer is what the model says of these inputs."""
        assert answer.status_code == 200, answer.text
        logits = self.session.run(None, {"inputs": inputs})[0].astype(np.float64)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        wanted = odds / odds.sum(axis=1, keepdims=True)
        given = answer.json()["predictions"]
        assert len(given) == len(inputs)
        for one, row in zip(given, wanted, strict=True):
            assert one["probability"] == pytest.approx(row.max(), abs=1e-4)
            assert row[self.classes.index(one["label"])] == pytest.approx(row.max(), abs=1e-4)

    def check_refused(self, answer: httpx2.Response, *statuses: int) -> None:
        """Assert that the answer gives a reason in the words of a person."""
        assert answer.status_code in statuses, answer.text
        detail = answer.json()["detail"]
        assert detail
        assert "Traceback" not in answer.text


def write_plants(path: Path) -> None:
    """Write a table with numbers, a category and a boolean; all but the first may be missing."""
    draw = random.Random(0)
    rows = []
    for number in range(90):
        size = number % 3
        width = "" if number % 7 == 0 else f"{draw.gauss(9 - 2 * size, 0.5):.2f}"
        place = "" if number % 8 == 0 else draw.choice(PLACES)
        wild = "" if number % 9 == 0 else draw.choice(["true", "false"])
        length = f"{draw.gauss(5 + 3 * size, 0.5):.2f}"
        rows.append([length, width, place, wild, ["maple", "oak", "été"][size]])
    write_table(path, [*COLUMNS, "plant"], rows)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Iterator[Service]]:
    """Return what bakes, trains, exports and serves a project."""

    def started(task: str, write: Callable[[Path], Any], raw: str, *options: str) -> Any:
        folder = bake({"task": task, "tracker": "none"}, tmp_path_factory.mktemp(task)).path
        write(folder / "data/raw" / raw)
        environment = {"PYTHONPATH": str(folder / "src"), "SERVE_LOG_LEVEL": "WARNING"}
        command = [sys.executable, "-m", SLUG]
        for step in (["train", "trainer.max_epochs=5", *options], ["export"]):
            done = run(*command, *step, folder=folder, **environment)
            assert done.returncode == 0, printed(done)
        port = free_port()
        environment["SERVE_PORT"] = str(port)
        address = f"http://127.0.0.1:{port}"
        with (
            serving(*command, "serve", port=port, folder=folder, **environment),
            httpx2.Client(base_url=address, timeout=PATIENCE) as client,
        ):
            model = onnxruntime.InferenceSession(folder / "models/model.onnx")
            yield Service(client, model, client.get("/model").json()["classes"])

    return started


@pytest.fixture(scope="module")
def texts(start: Callable[..., Iterator[Service]]) -> Iterator[Service]:
    yield from start("text", write_letters, "texts.csv", "data=texts")


@pytest.fixture(scope="module")
def tables(start: Callable[..., Iterator[Service]]) -> Iterator[Service]:
    yield from start("tabular", write_plants, "table.csv", "data=table", "data.target=plant")


# Texts -------------------------------------------------------------------------------------------


def clean(text: str) -> str | None:
    """Bring a text into the form that the documentation promises; None if it is no text."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return None
    runs = itertools.groupby(text, lambda letter: unicodedata.combining(letter) > 0)
    if any(are_marks and len(list(run)) > MOST_MARKS for are_marks, run in runs):
        return None
    spaced = "".join(
        " " if letter.isspace() or unicodedata.category(letter) == "Cc" else letter
        for letter in unicodedata.normalize("NFC", text)
    )
    return " ".join(filter(None, spaced.split(" "))) or None


def read_text(text: str) -> np.ndarray:
    """Make the model's input of a text that is clean."""
    row = np.zeros(LENGTH, np.int32)
    codes = [ord(letter) for letter in text[:LENGTH]]
    row[: len(codes)] = codes
    return row


def read_texts(cleaned: list[str]) -> np.ndarray:
    return np.stack([read_text(text) for text in cleaned])


def asked_texts(body: Any) -> list[str] | None:
    """Return the texts that a body asks for, cleaned; None if it must be refused."""
    found = body.get("texts") if isinstance(body, dict) else None
    if not isinstance(found, list) or not 1 <= len(found) <= MOST:
        return None
    if not all(isinstance(text, str) and 1 <= len(text) <= LONGEST for text in found):
        return None
    cleaned = [clean(text) for text in found]
    return cleaned if all(cleaned) else None  # type: ignore[return-value]


PIECES = [
    "\0",
    "\x1f",
    "\x85",
    "\u2028",
    "\ufeff",
    "e\u0301",
    "\U0001f469\u200d\U0001f680",
    "\u202e",
    "字",
]
hostile = st.one_of(
    st.text(),
    st.text(st.characters()),
    st.lists(st.sampled_from([*PIECES, " ", "a", "\n", "\r", '"', "{{", "\\u0000"])).map("".join),
    st.builds(lambda piece, count: piece * count, st.sampled_from(PIECES), st.integers(0, 10_001)),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | hostile,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=10,
)
# By itself no request, even where it happens to be JSON
no_json = st.binary() | st.just(b"[" * 100_000)


@pytest.mark.isolated
@given(
    body=no_json
    | anything
    | st.fixed_dictionaries({"texts": anything | st.lists(hostile | anything)})
    | st.fixed_dictionaries({"texts": st.lists(hostile.filter(clean), min_size=1)})
)
@example(body={"texts": ["\ud800"]})
@example(body={"texts": ["\u0340" * LONGEST]})
@example(body={"texts": ["a" + "\u0340" * MOST_MARKS]})
@example(body={"texts": ["a"] * MOST})
@example(body={"texts": ["a"] * (MOST + 1)})
@example(body={"texts": ["\x1c"]})
@example(body=b'{"texts": ["\xff"]}')
@example(body=b'{"texts": [' * 10_000)
@UNHURRIED
def test_a_body_of_any_json_is_answered_for_texts(texts: Service, body: Any) -> None:
    answer = texts.send(body)
    if (asked := asked_texts(body)) is None:
        texts.check_refused(answer, 413, 422)
    else:
        texts.check(answer, read_texts(asked))


@pytest.mark.isolated
@given(
    content=st.binary() | st.lists(hostile).map("\n".join).map(lambda t: t.encode(errors="replace"))
)
@example(content=codecs.BOM_UTF8 + b"a\r\n\r\nb")
@example(content="a\nb".encode("utf-16"))
@example(content=b"\n" * 100_000)
@UNHURRIED
def test_a_file_of_any_bytes_is_answered_for_texts(texts: Service, content: bytes) -> None:
    answer = texts.upload(content)
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        texts.check_refused(answer, 400, 415)  # lines are counted before they are read
        return
    asked = [line for line in lines if line.strip()]
    cleaned = [clean(line) for line in asked]
    if not asked:
        texts.check_refused(answer, 400, 415)
    elif len(asked) > MOST or max(map(len, lines)) > LONGEST or not all(cleaned):
        texts.check_refused(answer, 400)
    else:
        texts.check(answer, read_texts(cleaned))  # type: ignore[arg-type]


# Tables ------------------------------------------------------------------------------------------


def read_row(row: Values) -> list[float]:
    """Make the model's input of a row that is right."""
    numbers = [math.nan if row[name] is None else row[name] for name in NUMBERS]
    place = 0 if row["place"] is None else 1 + sorted(PLACES).index(row["place"])
    return [*numbers, place, math.nan if row["wild"] is None else float(row["wild"])]


def is_right(row: Any) -> bool:
    """Say whether a row of JSON has to be answered."""
    if not isinstance(row, dict) or set(row) != set(COLUMNS):
        return False
    for name, may_miss in NUMBERS.items():
        value = row[name]
        if value is None and may_miss:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if not -LARGEST <= value <= LARGEST:  # NaN neither
            return False
    place, wild = row["place"], row["wild"]
    return (place is None or (isinstance(place, str) and place in PLACES)) and (
        wild is None or isinstance(wild, bool)
    )


number = st.floats(allow_nan=False, allow_infinity=False, width=32) | st.integers(-1000, 1000)
rows = st.fixed_dictionaries(
    {
        "length": number,
        "width": number | st.none(),
        "place": st.sampled_from(PLACES) | st.none(),
        "wild": st.booleans() | st.none(),
    }
)
wrong_rows = st.builds(
    lambda row, name, value: {**row, name: value},
    rows,
    st.sampled_from(COLUMNS) | st.text(),
    anything | st.just(10**400),
)


@pytest.mark.isolated
@given(
    body=no_json
    | anything
    | st.fixed_dictionaries({"rows": st.lists(rows, min_size=1) | st.lists(wrong_rows | anything)})
)
@example(body={"rows": [{"length": 1, "width": math.nan, "place": None, "wild": None}]})
@example(body={"rows": [{"length": 10**400, "width": 1, "place": None, "wild": None}]})
@example(body={"rows": [{"length": LARGEST, "width": -0.0, "place": None, "wild": None}]})
@example(body={"rows": [{"length": 1e39, "width": None, "place": None, "wild": None}]})
@example(body={"rows": [{"length": True, "width": None, "place": None, "wild": None}]})
@UNHURRIED
def test_rows_of_any_json_are_answered(tables: Service, body: Any) -> None:
    answer = tables.send(body)
    asked = body.get("rows") if isinstance(body, dict) else None
    if isinstance(asked, list) and 1 <= len(asked) <= MOST and all(map(is_right, asked)):
        tables.check(answer, np.array([read_row(row) for row in asked], np.float32))
    else:
        tables.check_refused(answer, 413, 422)


@st.composite
def csv_files(draw: st.DrawFn) -> tuple[bytes, list[Values]]:
    """Write some rows as one of many programs does: any order, separator, quotes, encoding."""
    asked = draw(st.lists(rows, min_size=1, max_size=MOST))
    header = draw(st.permutations([*COLUMNS, *draw(st.sampled_from([[], ["plant"], ["my, id"]]))]))
    separator = draw(st.sampled_from(",;\t|"))
    comma = separator != "," and draw(st.booleans())  # of decimals
    missing = draw(st.sampled_from(["", "NA", "null", " "]))
    true, false = draw(st.sampled_from([("true", "false"), ("TRUE", "FALSE"), ("True", "False")]))
    written = draw(st.sampled_from([repr, "{:.6g}".format, "{:+e}".format]))

    def field(row: Values, name: str) -> str:
        value = row.get(name, "some")
        if value is None:
            return missing
        if isinstance(value, bool):
            return true if value else false
        if isinstance(value, int | float):
            row[name] = float(written(float(value)))  # what the file says
            return written(float(value)).replace(".", "," if comma else ".")
        return str(value)

    text = io.StringIO()
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quoting: Any = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerow(header)
    for row in asked:
        writer.writerow([field(row, name) for name in header])
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    return text.getvalue().encode(encoding), asked


@pytest.mark.isolated
@given(file=csv_files())
@UNHURRIED
def test_csv_files_of_any_program_are_answered(
    tables: Service, file: tuple[bytes, list[Values]]
) -> None:
    content, asked = file
    tables.check(tables.upload(content), np.array([read_row(row) for row in asked], np.float32))


@st.composite
def broken_files(draw: st.DrawFn) -> bytes:
    """Break a file somewhere."""
    content, _ = draw(csv_files())
    place = draw(st.integers(0, len(content)))
    piece = draw(
        st.binary(max_size=9)
        | st.sampled_from([b'"', b"\n", b",", b"\r", b"\0", b"inf", b"9" * 400])
    )
    return content[:place] + piece + content[place + draw(st.integers(0, 30)) :]


HEADER = ",".join(COLUMNS).encode()


@pytest.mark.isolated
@given(content=st.binary() | broken_files())
@example(content=b"")
@example(content=HEADER)
@example(content=HEADER + b"\n1,2,forest,true\n" * 65)
@example(content=HEADER + b'\n1,2,"forest,true\n')
@example(content=HEADER + b"\n1,2,forest\n")
@example(content=HEADER + b"\n1e999,2,forest,true\n")
@example(content=HEADER + b"\n" + b"9" * 200_000 + b",2,forest,true\n")
@example(content=b"a" * 200_000)
@example(content=HEADER + b"\n" + struct.pack("I", 0xD800) * 9)
@UNHURRIED
def test_a_file_of_any_bytes_is_answered_for_tables(tables: Service, content: bytes) -> None:
    answer = tables.upload(content)
    if answer.status_code != 200:
        tables.check_refused(answer, 400, 415)
        return
    # Where a broken file is still a table, it has no more rows than line ends
    given = answer.json()["predictions"]
    assert 1 <= len(given) <= min(MOST, content.count(b"\n") + content.count(b"\r"))
    assert all(one["label"] in tables.classes and 0 < one["probability"] <= 1 for one in given)
