"""Requests with texts, and uploads of text files: each wrong one is refused by name."""

import json

import pytest
from service import upload

from {{ cookiecutter.project_slug }}.inference.predictor import Predictor


def classify(model, *texts):
    predictor = Predictor(model)
    return predictor.best(predictor.input_spec.encode(texts))


@pytest.mark.parametrize(
    "text",
    ["a", "x" * 80, "x" * 10_000, "nul \0 inside", "two\nlines", "\U0001f600", "\u202egnp.exe"],
)
def test_any_text_is_answered_as_by_the_predictor(client, model, text):
    answer = client.post("/predict", json={"texts": [text]})
    assert answer.status_code == 200
    [row], [expected] = answer.json()["predictions"], classify(model, text)
    assert row["label"] == expected.label
    assert row["probability"] == pytest.approx(expected.probability, rel=1e-4)


@pytest.mark.parametrize(
    ("texts", "place", "reason"),
    [
        (["a", ""], ["texts", 1], "at least 1 character"),
        (["a", " \n"], ["texts", 1], "white space only"),
        (["a" * 10_001], ["texts", 0], "at most 10000 characters"),
        ([1], ["texts", 0], "string"),
        ([None], ["texts", 0], "string"),
        ([["a"]], ["texts", 0], "string"),
        ([], ["texts"], "at least 1 item"),
        (["a"] * 65, ["texts"], "at most 64 items"),
        ("a", ["texts"], "array"),
    ],
)
def test_a_wrong_element_is_named(client, texts, place, reason):
    body = json.dumps({"texts": texts})
    answer = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == place
    assert reason in answer.json()["detail"][0]["msg"]


@pytest.mark.parametrize(
    "body", ['{"texts": ["\\ud800"]}', '{"text": ["a"]}', b'{"texts": ["\xff"]}']
)
def test_a_body_with_no_valid_text_is_refused(client, body):
    answer = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_a_file_is_answered_line_by_line(client, model):
    answer = upload(client, b"\xef\xbb\xbfein lachendes gesicht\r\n\r\nune souris\n")
    assert answer.status_code == 200
    labels = [row["label"] for row in answer.json()["predictions"]]
    assert labels == [one.label for one in classify(model, "ein lachendes gesicht", "une souris")]


@pytest.mark.parametrize(
    ("content", "status", "named"),
    [
        (b"caf\xe9", 415, "byte 4"),
        (b" \n\n", 415, "no texts"),
        (b"a\n" * 65, 400, "65 texts, more than 64"),
        (b"a\n" + b"b" * 10_001, 400, "line 2 has more than 10000"),
    ],
)
def test_a_file_that_can_not_be_used_is_explained(client, content, status, named):
    answer = upload(client, content)
    assert answer.status_code == status
    assert named in answer.json()["detail"]


def test_a_text_of_marks_only_is_refused_before_they_are_sorted(client):
    for text in (
        "a" + "\u0345" * 4000 + "\u0301" * 4000,
        "\u0315\u0300" * 4000,
        "a" + "\u0f73" * 4000,
    ):
        answer = client.post("/predict", json={"texts": [text] * 2})
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["texts", 0]
        assert "combining marks" in answer.json()["detail"][0]["msg"]


def test_only_the_first_wrong_text_is_named(client):
    answer = client.post("/predict", json={"texts": [""] * 64})
    assert [error["loc"] for error in answer.json()["detail"]] == [["texts", 0]]


def test_a_file_of_empty_lines_is_refused(client):
    answer = upload(client, b"\n" * 100_000 + b"text")
    assert (answer.status_code, "lines" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b"", "at least 1 character"),
        (b" \0", "text"),
        (b"a" * 10_001, "at most 10000 characters"),
        (b"\xff", "not in UTF-8"),
        ("\u0340".encode() * 200, "text"),
    ],
)
def test_a_wrong_text_of_a_tensor_is_refused(client, text, named):
    content = len(text).to_bytes(4, "little") + text
    tensor = {"name": "texts", "datatype": "BYTES", "shape": [1, 1]}
    tensor["parameters"] = {"binary_data_size": len(content)}
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {"inference-header-content-length": str(len(head))}
    path = "/v2/models/{{ cookiecutter.project_slug }}/infer"
    answer = client.post(path, content=head + content, headers=headers)
    assert (answer.status_code, named in answer.json()["error"]) == (400, True)
