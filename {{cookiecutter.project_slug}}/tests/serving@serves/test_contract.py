"""The service on a real socket: its answers, its limits, its OpenAPI document, and how it stops."""

import json
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import example
import httpx2
import pytest
from service import (
    LARGEST,
    PATIENCE,
    client_of,
    free_port,
    in_progress,
    is_ready,
    running,
    start,
    until,
    upload,
)

from {{ cookiecutter.project_slug }}.inference.predictor import Predictor
from {{ cookiecutter.project_slug }}.serving.payloads import has_more_values

SERVICE = "{{ cookiecutter.project_slug }}.serving.api"


def test_a_batch_is_answered_like_the_predictor_does(client, model, inputs):
    answer = client.post("/predict", json=example.request(inputs[:20]))
    assert answer.status_code == 200
    expected = Predictor(model).best(inputs[:20])
    predictions = answer.json()["predictions"]
    assert [row["label"] for row in predictions] == [one.label for one in expected]
    for row, one in zip(predictions, expected, strict=True):
        assert row["probability"] == pytest.approx(one.probability, rel=1e-4)


def test_concurrent_requests_get_their_own_answers(client, model, inputs):
    expected = Predictor(model).best(inputs)

    parts = [slice(start, start + 1 + start % 3) for start in range(len(inputs) - 3)] * 3

    def ask(part):
        answer = client.post("/predict", json=example.request(inputs[part]))
        return [row["label"] for row in answer.json()["predictions"]]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, parts))
    for part, labels in zip(parts, answers, strict=True):
        assert labels == [one.label for one in expected[part]]


def test_requests_that_wait_share_a_call_of_the_model(slow, sample, inputs):
    body = example.request(inputs[:2])
    with running(slow) as client, ThreadPoolExecutor(32) as pool:
        futures = [
            *(pool.submit(client.post, "/predict", json=body) for _ in range(16)),
            *(pool.submit(upload, client, sample) for _ in range(16)),
        ]
        in_progress(client, 32)
        slow.may_run.set()
        assert {future.result().status_code for future in futures} == {200}
    assert 2 < slow.calls < 17  # one of them warms up


def test_an_upload_is_answered(client, sample):
    answer = upload(client, sample)
    assert answer.status_code == 200
    assert [row["label"] for row in answer.json()["predictions"]] == [example.LABEL]


def test_an_upload_that_holds_nothing_is_refused(client):
    for content in (b"", b"\xff\xff\0\0"):
        assert upload(client, content).status_code == 415


def test_the_model_is_described(client, model):
    answer = client.get("/model").json()
    assert answer["version"] == Predictor(model).version
    assert answer["classes"] == example.CLASSES
    assert answer["inputs"] == example.SPEC.summary()
    assert answer["metrics"]["accuracy"] > 0.9
    assert answer["commit"] is None


def test_a_body_of_another_type_is_refused(client):
    assert client.post("/predict", data={"samples": "1"}).status_code == 415
    form = {"content-type": "multipart/form-data"}
    assert client.post("/predict/file", content=b"no boundary", headers=form).status_code == 400
    answer = client.post("/predict/file", data={"file": "no upload"})
    assert (answer.status_code, answer.json()["detail"][0]["loc"][-1]) == (422, "file")


def test_media_types_are_compared_as_the_standard_says(client, inputs):
    body = json.dumps(example.request(inputs[:1]))
    for given, status in (
        ("Application/JSON; charset=utf-8", 200),
        ("application/json", 200),
        ("application/json-patch+json", 415),
        ("application/jsonx", 415),
    ):
        answer = client.post("/predict", content=body, headers={"content-type": given})
        assert answer.status_code == status, given


def test_probes_can_ask_without_a_body(client):
    for path in ("/livez", "/readyz"):
        answer = client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("content", ["[1, 2]", "not json", "{}"])
def test_a_body_that_is_no_request_is_refused(client, content):
    headers = {"content-type": "application/json"}
    answer = client.post("/predict", content=content, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["msg"]


@pytest.mark.parametrize("length_is_told", [True, False])
def test_a_body_that_is_too_large_is_refused(client, length_is_told):
    body = b" " * (LARGEST + 1)
    headers = {"content-type": "application/json"}
    content = body if length_is_told else iter([body[:1000], body[1000:]])
    answer = client.post("/predict", content=content, headers=headers)
    assert (answer.status_code, "larger than" in answer.json()["detail"]) == (413, True)
    assert upload(client, body).status_code == 413
    assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("part", ["[],", '{"a":[]},', "0,", '"",', "[[[[[", '"\\\\",'])
def test_a_body_of_many_values_is_refused_before_it_is_parsed(client, part):
    """To parse one of the largest size would take a gigabyte."""
    name = next(iter(example.request(example.SPEC.zeros(1))))
    body = "{" + f'"{name}": [' + part * (150_000 // len(part)) + "0]}"
    answer = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 413


def test_strings_of_a_body_are_counted_whatever_its_values():
    body = bytearray(b'{"a": 1, "b\\"c": 1, "d": "\\u00e9"}')
    assert has_more_values(body, most=100, strings=3)
    assert not has_more_values(body, most=100, strings=4)
    assert not has_more_values(body, most=3, strings=4)
    assert has_more_values(body, most=2, strings=4)


def test_it_is_ready_when_the_model_has_answered(slow):
    with running(slow) as client:
        assert client.get("/readyz").status_code == 503
        assert client.get("/livez").status_code == 200  # the event loop is free
        slow.may_run.set()
        until(lambda: is_ready(client))


def test_overload_is_answered_with_503_and_passes(slow, inputs):
    with running(slow, max_queue=4, max_batch=1) as client, ThreadPoolExecutor(30) as pool:
        body = example.request(inputs[:1])
        futures = [pool.submit(client.post, "/predict", json=body) for _ in range(30)]
        until(lambda: sum(future.done() for future in futures) >= 25)
        slow.may_run.set()
        answers = [future.result() for future in futures]
        accepted = [answer for answer in answers if answer.status_code == 200]
        refused = [answer for answer in answers if answer.status_code == 503]
        assert len(accepted) in {4, 5}  # one may be in the model already
        assert len(refused) == 30 - len(accepted)
        assert {answer.headers["retry-after"] for answer in refused} == {"1"}
        for _ in range(5):
            assert client.post("/predict", json=body).status_code == 200


def test_a_request_that_takes_too_long_gets_504_and_the_next_one_an_answer(slow, inputs):
    with running(slow, timeout=1, max_queue=1, max_batch=1) as client:
        body = example.request(inputs[:1])
        answer = client.post("/predict", json=body)
        assert answer.status_code == 504
        assert "1 s" in answer.json()["detail"]
        slow.may_run.set()
        until(lambda: is_ready(client))
        until(lambda: client.post("/predict", json=body).status_code == 200)


def test_an_error_of_the_model_is_a_500_and_not_the_end(slow, inputs):
    with running(slow) as client:
        slow.may_run.set()
        until(lambda: is_ready(client))
        slow.broken = True
        assert client.post("/predict", json=example.request(inputs[:1])).status_code == 500
        slow.broken = False
        assert client.post("/predict", json=example.request(inputs[:1])).status_code == 200


def values(node, key):
    """Find what a name stands for, anywhere in a document."""
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    found = [node[key]] if isinstance(node, dict) and key in node else []
    return found + [value for child in inner for value in values(child, key)]


def test_the_documented_example_works_when_pasted(client):
    document = client.get("/openapi.json").json()
    [(name, (shown,))] = [
        (name, field["examples"])
        for fields in values(document, "properties")
        for name, field in fields.items()
        if "examples" in field
    ]
    assert client.post("/predict", json={name: shown}).status_code == 200


def test_the_document_is_shown_on_a_page(client):
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "openapi.json" in page.text
    files = re.findall(r"""(?:href|src)=["']([^"']+)["']""", page.text)
    assert len(files) >= 2
    for name in files:  # of the service itself, whatever stands before it
        assert client.get(page.url.join(name)).status_code == 200, name
        assert ":" not in name


@pytest.mark.parametrize(
    "chosen",
    [
        ["--exclude-path-regex=/file|/infer"],
        # The document can't say which bytes and tensors are a sample, so that any are drawn
        ["--include-path-regex=/file|/infer", "--exclude-checks=positive_data_acceptance"],
    ],
)
def test_the_service_keeps_to_its_document(client, chosen, tmp_path):
    settings = tmp_path / "schemathesis.toml"
    # A list that is too long makes a body that is too large
    settings.write_text("checks.negative_data_rejection.expected-statuses = [400, 413, 415, 422]\n")
    command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={settings}", "run"]
    options = ["--max-examples=25", "--seed=0", f"--request-timeout={PATIENCE}"]
    done = subprocess.run(
        [*command, *options, *chosen, f"{client.base_url}/openapi.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_stopping_answers_the_accepted_requests(slow, inputs):
    with running(slow) as client, ThreadPoolExecutor(8) as pool:
        body = example.request(inputs[:1])
        futures = [pool.submit(client.post, "/predict", json=body) for _ in range(8)]
        in_progress(client, 8)
        client.server.should_exit = True
        until(lambda: not listens(client.base_url))
        slow.may_run.set()
        assert [future.result().status_code for future in futures] == [200] * 8


def listens(url):
    try:
        return bool(httpx2.get(f"{url}/livez"))
    except httpx2.TransportError:  # refused, or reset in the queue of a socket that was closed
        return False


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to handle")
def test_the_process_answers_and_logs_all_it_accepted_on_sigterm(model, inputs, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    port = free_port()
    settings = {"SERVE_MODEL": model, "SERVE_PORT": port, "HOME": home, "TMPDIR": home}
    with Path("log").open("w") as log:  # a pipe that nobody reads would soon stop the service
        process = start(SERVICE, stdout=log, **settings)
    answers, body = [], example.request(inputs[:1])

    def ask_until_it_stops():
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
            while True:
                try:
                    answers.append(client.post("/predict", json=body).status_code)
                except httpx2.TransportError:  # it does not listen any more
                    return

    with client_of(process, port), ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(ask_until_it_stops) for _ in range(8)]
        until(lambda: len(answers) > 50, lambda: process.poll() is None)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)
        for future in futures:
            future.result()
    assert (process.returncode, errors) == (0, "")
    assert set(answers) == {200}
    lines = [json.dumps(json.loads(line)) for line in Path("log").read_text().splitlines()]
    assert sum("/predict" in line for line in lines) == len(answers)
    assert list(home.iterdir()) == []
