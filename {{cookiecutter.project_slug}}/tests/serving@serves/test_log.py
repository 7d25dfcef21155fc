"""Each request has an id and a line of the log; clients that leave, and those with large bodies."""

import json
import logging
import os
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import example
import pytest
from service import (
    HEAD,
    PATIENCE,
    answering,
    busy,
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
from {{ cookiecutter.project_slug }}.serving import {{ "api as application" if cookiecutter.serving == "fastapi" else "bento as application" }}
from {{ cookiecutter.project_slug }}.serving import request_log


def test_requests_have_an_id(client):
    given = client.get("/livez", headers={"x-request-id": "order-42"})
    assert given.headers["x-request-id"] == "order-42"
    ids = {client.get("/livez").headers["x-request-id"] for _ in range(5)}
    ids.add(client.get("/livez", headers={"x-request-id": "no good\tid"}).headers["x-request-id"])
    assert len(ids) == 6


def test_an_error_of_the_model_has_the_id_of_its_request(slow, inputs):
    with running(slow) as client:
        slow.may_run.set()
        until(lambda: is_ready(client))
        slow.broken = True
        answer = client.post("/predict", json=example.request(inputs[:1]))
        assert (answer.status_code, answer.json()) == (500, {"detail": "internal error"})
        assert answer.headers["x-request-id"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to handle")
def test_a_request_is_one_line_of_the_log(model, inputs):
    port = free_port()
    settings = {"SERVE_MODEL": model, "SERVE_PORT": port}
    process = start("{{ cookiecutter.project_slug }}.serving.api", **settings)
    with client_of(process, port) as client:
        headers = {"x-request-id": "order-42"}
        client.post("/predict", json=example.request(inputs[:1]), headers=headers)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=PATIENCE)
    assert errors == ""
    lines = [json.loads(line) for line in output.splitlines()]
    (logged,) = [line for line in lines if line.get("request_id") == "order-42"]
    assert (logged["method"], logged["path"], logged["status"]) == ("POST", "/predict", 200)
    assert logged["version"] == Predictor(model).version
    assert logged["queue_ms"] >= 0
    assert 0 < logged["model_ms"] < logged["ms"]


@pytest.mark.parametrize(
    ("proxies", "named"),
    [("none", "127.0.0.1"), ("10.0.0.0/8", "127.0.0.1"), ("127.0.0.0/8,10.0.0.1", "192.0.2.7")],
)
def test_a_proxy_that_is_believed_names_the_client(model, monkeypatch, caplog, proxies, named):
    lines = []
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(request_log.lines, "write", lambda **fields: lines.append(fields))
    with running(Predictor(model), proxies=proxies) as client:
        # The first address is what the client claims, the others are added by proxies
        client.get("/model", headers={"x-forwarded-for": "203.0.113.1, 192.0.2.7, 10.0.0.1"})
        until(lambda: lines)
    assert lines[0]["client"] == named


@pytest.mark.skipif(os.name == "nt", reason="Windows has no httptools")
def test_a_client_that_leaves_is_no_error(slow, inputs, monkeypatch, caplog):
    lines, body = [], example.request(inputs[:1])
    monkeypatch.setattr(request_log.lines, "write", lambda **fields: lines.append(fields))
    caplog.set_level(logging.INFO)
    with running(slow) as client, ThreadPoolExecutor(1) as pool:
        first = busy(client, slow, pool, body)
        content = json.dumps(body).encode()
        for sent in (HEAD % len(content) + content, HEAD % len(content) + content[:-1]):
            with socket.create_connection((client.base_url.host, client.base_url.port)) as left:
                left.sendall(sent)
                in_progress(client, 2)
            in_progress(client, 1)
        slow.may_run.set()
        assert first.result().status_code == 200
{%- if cookiecutter.serving == "fastapi" %}
    assert slow.calls == 2  # one of them warms up
{%- endif %}
    statuses = [line["status"] for line in lines if line["path"] == "/predict"]
    assert statuses == [499, 499, 200]
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_small_files_do_not_wait_for_large_ones(model, sample, monkeypatch):
    may_read = threading.Event()
    read_file = application.read_file

    def read(content, *arguments):
        assert len(content) < 100_000 or may_read.wait(PATIENCE)
        return read_file(content, *arguments)

    monkeypatch.setattr(application, "read_file", read)
    with answering(model) as client, ThreadPoolExecutor() as threads:
        large = threads.submit(upload, client, b"\xff" * 100_000)
        in_progress(client, 1)
        assert upload(client, sample).status_code == 200
        may_read.set()
        assert large.result().status_code == 415


def test_large_requests_leave_room_for_small_ones(slow, inputs):
    many, one = (example.request(inputs[:count]) for count in (8, 1))
    with running(slow, max_batch=8, max_queue=16) as client, ThreadPoolExecutor(12) as pool:
        first = busy(client, slow, pool, one)
        large = [pool.submit(client.post, "/predict", json=many) for _ in range(6)]
        until(lambda: sum(answer.done() for answer in large) == 5)  # of six
        small = [pool.submit(client.post, "/predict", json=one) for _ in range(3)]
        in_progress(client, 5)
        slow.may_run.set()
        assert {answer.result().status_code for answer in [first, *small]} == {200}
        assert sorted(answer.result().status_code for answer in large) == [200, *[503] * 5]
