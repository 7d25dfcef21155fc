"""Request ids, clients that leave, and refusals before a body is read."""

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
    PATIENCE,
    answering,
    client_of,
    free_port,
    in_progress,
    is_ready,
    running,
    start,
    until,
    upload,
)

from {{ cookiecutter.project_slug }}.serving import api, request_log


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


HEAD = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n"
)


def busy(client, slow, pool, body):
    """Give the model a batch that it does not answer until `may_run` is set."""
    slow.may_run.set()
    until(lambda: is_ready(client))
    slow.may_run.clear()
    answer = pool.submit(client.post, "/predict", json=body)
    in_progress(client, 1)
    return answer


@pytest.mark.skipif(os.name == "nt", reason="Windows has no httptools")
def test_a_client_that_leaves_costs_nothing_and_is_no_error(slow, inputs, monkeypatch, caplog):
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
    assert slow.calls == 2  # one of them warms up
    statuses = [line["status"] for line in lines if line["path"] == "/predict"]
    assert statuses == [499, 499, 200]
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_a_full_service_refuses_before_it_reads_the_body(slow, inputs):
    body = example.request(inputs[:1])
    with running(slow, max_queue=1, max_batch=1) as client, ThreadPoolExecutor(2) as pool:
        busy(client, slow, pool, body)
        pool.submit(client.post, "/predict", json=body)
        in_progress(client, 2)
        address = client.base_url.host, client.base_url.port
        with socket.create_connection(address, timeout=PATIENCE) as connection:
            connection.sendall(HEAD % 1000)  # and nothing after it
            answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1\r\n" in answer
        slow.may_run.set()


def test_a_model_that_hangs_does_not_keep_a_stopped_service(slow, inputs):
    body = example.request(inputs[:1])
    with running(slow, timeout=1, grace=1) as client, ThreadPoolExecutor(1) as pool:
        answer = busy(client, slow, pool, body)
        client.server.should_exit = True
        assert answer.result().status_code in {503, 504}
        assert answer.result().json()["detail"]


def test_small_files_do_not_wait_for_large_ones(model, sample, monkeypatch):
    may_read = threading.Event()
    read_file = api.read_file

    def read(content, *arguments):
        assert len(content) < 100_000 or may_read.wait(PATIENCE)
        return read_file(content, *arguments)

    monkeypatch.setattr(api, "read_file", read)
    with answering(model) as client, ThreadPoolExecutor() as threads:
        large = threads.submit(upload, client, b"\xff" * 100_000)
        in_progress(client, 1)
        assert upload(client, sample).status_code == 200
        may_read.set()
        assert large.result().status_code == 415
