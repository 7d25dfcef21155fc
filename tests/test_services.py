"""Whatever is sent to a service that is baked: an answer, never its error.

What may be sent and what the answer is, is found out here anew, from the documented rules, and by
ONNX Runtime alone. Hypothesis sends bodies of any JSON and files of any bytes, and NVIDIA's client
asks in the Open Inference Protocol.
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
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

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
        model: The file of its model.
        session: Its model, in ONNX Runtime.
        classes: The names of the classes, in the order of the logits.
    """

    client: httpx2.Client
    model: Path
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


WRITERS: dict[str, Callable[[Path], Any]] = {
    "text": lambda folder: write_letters(folder / "texts.csv"),
    "tabular": lambda folder: write_plants(folder / "table.csv"),
}


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Iterator[Service]]:
    """Return what bakes and serves a project; it trains and exports, unless there is a model."""

    def started(
        task: str, *options: str, serving_with: str = "fastapi", model: Path | None = None
    ) -> Any:
        answers = {"task": task, "tracker": "none", "serving": serving_with}
        folder = bake(answers, tmp_path_factory.mktemp(task)).path
        if write := WRITERS.get(task):
            write(folder / "data/raw")
        environment = {"PYTHONPATH": str(folder / "src"), "SERVE_LOG_LEVEL": "WARNING"}
        environment["OMP_NUM_THREADS"] = "1"  # more would wait for each other on a busy machine
        command = [sys.executable, "-m", SLUG]
        steps = [] if model else [["train", "trainer.max_epochs=5", *options], ["export"]]
        for step in steps:
            done = run(*command, *step, folder=folder, **environment)
            assert done.returncode == 0, printed(done)
        model = model or folder / "models/model.onnx"
        port = free_port()
        environment |= {"SERVE_PORT": str(port), "SERVE_MODEL": str(model)}
        address = f"http://127.0.0.1:{port}"
        with (
            serving(*command, "serve", port=port, folder=folder, **environment),
            httpx2.Client(base_url=address, timeout=PATIENCE) as client,
        ):
            session = onnxruntime.InferenceSession(model)
            yield Service(client, model, session, client.get("/model").json()["classes"])

    return started


@pytest.fixture(scope="module")
def texts(start: Callable[..., Iterator[Service]]) -> Iterator[Service]:
    yield from start("text", "data=texts")


@pytest.fixture(scope="module")
def tables(start: Callable[..., Iterator[Service]]) -> Iterator[Service]:
    yield from start("tabular", "data=table", "data.target=plant")


@pytest.fixture(scope="module")
def images(start: Callable[..., Iterator[Service]]) -> Iterator[Service]:
    yield from start("image")


@pytest.fixture(scope="module")
def bento(start: Callable[..., Iterator[Service]], images: Service) -> Iterator[Service]:
    yield from start("image", serving_with="bentoml", model=images.model)


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


# The Open Inference Protocol ----------------------------------------------------------------------


def as_text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def check_triton(service: Service, tensors: dict[str, np.ndarray], body: Any) -> None:
    """Assert that NVIDIA's client gets the predictions that a body of JSON gets."""
    wanted = service.send(body).json()["predictions"]
    with InferenceServerClient(str(service.client.base_url).removeprefix("http://")) as triton:
        assert triton.is_server_live()
        assert triton.is_server_ready()
        assert triton.is_model_ready(SLUG)
        assert not triton.is_model_ready(SLUG, "another")
        assert triton.get_server_metadata()["name"] == SLUG
        described = triton.get_model_metadata(SLUG)
        assert [one["name"] for one in described["inputs"]] == list(tensors)
        (version,) = described["versions"]
        for in_binary, chosen in itertools.product([True, False], ["", version]):
            given = [
                InferInput(name, values.shape, np_to_triton_dtype(values.dtype))
                for name, values in tensors.items()
            ]
            for tensor, values in zip(given, tensors.values(), strict=True):
                tensor.set_data_from_numpy(values, binary_data=in_binary)
            outputs = [
                InferRequestedOutput(name, binary_data=in_binary)
                for name in ("label", "probability")
            ]
            for asked in (outputs, None):  # None: all of them, in binary
                answer = triton.infer(SLUG, given, chosen, asked, request_id="7")
                assert answer.get_response()["id"] == "7"
                labels = [as_text(label) for label in answer.as_numpy("label")]
                assert labels == [one["label"] for one in wanted]
                odds = [one["probability"] for one in wanted]
                assert answer.as_numpy("probability") == pytest.approx(odds, rel=1e-4)
        wrong = InferInput("other", [1], "UINT8")
        wrong.set_data_from_numpy(np.zeros(1, np.uint8))
        with pytest.raises(InferenceServerException, match="'other' is unknown"):
            triton.infer(SLUG, [wrong])
        with pytest.raises(InferenceServerException, match="compressed as 'gzip'"):
            triton.infer(SLUG, given, request_compression_algorithm="gzip")


@pytest.mark.isolated
@pytest.mark.parametrize("name", ["images", "bento"])
def test_tritons_client_gets_the_predictions_for_images(
    request: pytest.FixtureRequest, name: str
) -> None:
    pixels = np.random.default_rng(0).integers(256, size=(5, 1, 8, 8), dtype=np.uint8)
    check_triton(request.getfixturevalue(name), {"images": pixels}, {"images": pixels.tolist()})


@pytest.mark.isolated
def test_tritons_client_gets_the_predictions_for_texts(texts: Service) -> None:
    asked = ["We order 3 boxes", "L'été à la mer", "字 \U0001f469\u200d\U0001f680"]
    encoded = np.array([text.encode() for text in asked], object)
    check_triton(texts, {"texts": encoded}, {"texts": asked})


@pytest.mark.isolated
def test_tritons_client_gets_the_predictions_for_rows(tables: Service) -> None:
    tensors: dict[str, np.ndarray] = {
        "length": np.array([5, 8, 11], np.int64),
        "width": np.array([9.25, math.nan, 5.5], np.float32),
        "place": np.array([place.encode() for place in (PLACES[0], "", PLACES[2])], object),
        "wild": np.array([1, 0, math.nan], np.float32),  # the protocol's BOOL lacks missing values
    }
    columns = [
        [5, 8, 11],
        [9.25, None, 5.5],
        [PLACES[0], None, PLACES[2]],
        [True, False, None],
    ]
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)]
    check_triton(tables, tensors, {"rows": rows})


numbers = st.integers(-1, 3) | st.integers() | st.just(2**62)
described = st.fixed_dictionaries(
    {
        "name": st.sampled_from(COLUMNS) | st.text(),
        "datatype": st.sampled_from(["FP32", "FP64", "INT64", "BYTES", "BOOL", "FP16"]),
        "shape": st.lists(numbers, max_size=2) | anything,
    },
    optional={
        "data": st.lists(anything | number, max_size=3) | anything,
        "parameters": st.fixed_dictionaries({"binary_data_size": numbers | anything}) | anything,
    },
)


@pytest.mark.isolated
@given(
    body=no_json | anything | st.fixed_dictionaries({"inputs": st.lists(described) | anything}),
    content=st.binary(),
    length=st.none() | st.integers(-1, 300) | st.text("09.-+", min_size=1, max_size=5000),
)
@UNHURRIED
def test_tensors_of_any_kind_are_answered_or_refused(
    tables: Service, body: Any, content: bytes, length: Any
) -> None:
    head = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"inference-header-content-length": str(len(head) if length is None else length)}
    path = f"/v2/models/{SLUG}/infer"
    answer = tables.client.post(path, content=head + content, headers=headers)
    assert answer.status_code in {200, 400, 413}, answer.text
    assert answer.status_code == 200 or list(answer.json()) == ["error"]
