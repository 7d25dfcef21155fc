"""What one client can take from the others: bytes, connections, time, and the log."""

import io
import json
import logging
import socket
import struct
import sys
import time
from contextlib import suppress

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
)

from {{ cookiecutter.project_slug }}.serving.log import Lines
from {{ cookiecutter.project_slug }}.serving.server import most_of_all
from {{ cookiecutter.project_slug }}.serving.settings import Settings

SERVICE = "{{ cookiecutter.project_slug }}.serving.api"
HTTPTOOLS = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no httptools")
JSON, FORM = b"application/json", b"multipart/form-data; boundary=b"
POST = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


def exchange(client, *parts):
    """Send bytes, also such as are no HTTP, and read until the service closes the connection."""
    address = client.base_url.host, client.base_url.port
    received = b""
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            while more := connection.recv(65536):
                received += more
        except OSError:  # it was closed while bytes were on their way
            pass
    return received


@HTTPTOOLS
@pytest.mark.parametrize(
    "parts",
    [
        [b"GET /livez HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"],
        [b"GET /livez HTTP/1.1\r\nX: ", *[b"x" * 100_000] * 200],
        [b"GET /livez HTTP/1.1\r\n", *[b"x: 1\r\n" * 10_000] * 200],
        [b"GET /", *[b"x" * 100_000] * 200],
    ],
)
def test_a_head_that_is_too_large_is_refused(client, parts):
    assert exchange(client, *parts)[:12] in {b"HTTP/1.1 431", b""}  # a reset may overtake it
    assert client.get("/livez").status_code == 200


@HTTPTOOLS
@pytest.mark.parametrize(
    "parts",
    [
        [POST, b"0\r\n", *[b"x: 1\r\n" * 10_000] * 200],  # trailers
        [POST, b"1;", *[b"x" * 100_000] * 200],  # an extension of a chunk
        [b"no HTTP\r\n\r\n"],
    ],
)
def test_bytes_around_the_body_are_limited(client, parts):
    assert exchange(client, *parts)[:12] in {b"HTTP/1.1 400", b""}
    assert client.get("/livez").status_code == 200


@HTTPTOOLS
def test_a_request_has_to_arrive_in_time(slow):
    with running(slow, read_timeout=0.5) as client:
        for part in (b"", b"GET /livez HTTP/1.1\r\n", POST, POST + b"3\r\n{"):
            assert exchange(client, part).startswith(b"HTTP/1.1 408")


@HTTPTOOLS
def test_a_client_that_takes_no_answer_is_left(slow):
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    with running(slow, read_timeout=0.5) as client:
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            connection.connect((client.base_url.host, client.base_url.port))
            connection.setblocking(False)
            with suppress(OSError):  # there is no room for more, or the service has closed it
                while True:
                    connection.send(asked)
            until(lambda: len(client.server.server_state.connections) == 0)
        assert client.get("/livez").status_code == 200


@HTTPTOOLS
def test_what_was_accepted_is_answered_before_bytes_that_are_no_http(client):
    received = exchange(client, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 3 + b"no HTTP\r\n\r\n")
    assert received.count(b"HTTP/1.1 200 OK") == received.count(b"HTTP/1.1") == 3


@HTTPTOOLS
def test_requests_that_are_sent_at_once_are_limited(client):
    asked = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    received = exchange(client, asked * 5000)
    assert received.count(b"HTTP/1.1 200 OK") == received.count(b"HTTP/1.1") < 5000


def test_a_client_that_leaves_within_its_body_is_no_error(client, caplog):
    address = client.base_url.host, client.base_url.port
    for asked in (POST, POST.replace(b"/predict", b"/predict/file").replace(JSON, FORM)):
        with socket.create_connection(address) as connection:
            connection.sendall(asked)
            in_progress(client, 1)
        in_progress(client, 0)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@HTTPTOOLS
def test_headers_may_hold_any_bytes(client):
    asked = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: \xff\r\nContent-Length: 0\r\n"
    answer = exchange(client, asked + b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 415")


@HTTPTOOLS
def test_a_client_that_leaves_several_requests_is_no_error(slow, inputs, caplog):
    body = json.dumps(example.request(inputs[:1])).encode()
    size = f"Content-Length: {len(body)}".encode()
    asked = POST.replace(b"Transfer-Encoding: chunked", size) + body
    slow.may_run.set()
    with running(slow) as client:
        until(lambda: is_ready(client))
        slow.may_run.clear()
        with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
            connection.sendall(3 * asked)
            in_progress(client, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        slow.may_run.set()
        until(lambda: client.get("/livez").status_code == 200)
        in_progress(client, 0)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@HTTPTOOLS
def test_connections_are_limited(slow):
    with running(slow, max_connections=3) as client:
        address = client.base_url.host, client.base_url.port
        others = [socket.create_connection(address) for _ in range(3)]
        until(lambda: len(client.server.server_state.connections) == len(others))
        assert httpx2.get(f"{client.base_url}/livez").status_code == 503
        for connection in others:
            connection.close()
        until(lambda: len(client.server.server_state.connections) == 0)
        assert client.get("/livez").status_code == 200


def test_what_requests_can_take_is_computed(client):
    bounds = most_of_all(example.SPEC, Settings())
    assert all(bound > 0 for bound in bounds.values())
    for name, value in {"max_queue": 512, "max_connections": 1500, "max_body": 20_000_000}.items():
        changed = most_of_all(example.SPEC, Settings(**{name: value}))
        assert sum(changed.values()) > sum(bounds.values()), name
    body = b" " * (most_of_all(example.SPEC, Settings(max_body=LARGEST))["json_bytes"] + 1)
    headers = {"content-type": "application/json"}
    assert client.post("/predict", content=body[:-1], headers=headers).status_code == 422
    assert client.post("/predict", content=body, headers=headers).status_code == 413


def test_a_model_that_can_not_answer_ends_the_service(slow):
    slow.broken = True
    slow.may_run.set()
    with running(slow) as client:
        until(lambda: client.server.problem)
        assert "the model can't answer: broken" in client.server.problem


def test_a_model_that_hangs_makes_the_service_unready_and_ends_it(slow, inputs):
    with running(slow, timeout=1) as client:
        slow.may_run.set()
        until(lambda: client.get("/readyz").status_code == 200)
        slow.may_run.clear()
        assert client.post("/predict", json=example.request(inputs[:1])).status_code == 504
        until(lambda: client.get("/readyz").status_code == 503)
        until(lambda: client.server.problem)
        slow.may_run.set()


class Broken(io.BytesIO):
    """A file on a full disk."""

    is_full = True

    def write(self, content):
        if self.is_full:
            raise OSError("no space left on device")
        return super().write(content)


def test_a_log_that_can_not_be_written_goes_on_later(monkeypatch):
    file = Broken()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file, "ascii"))
    lines = Lines()
    for _ in range(3):
        lines.write(message="lost")
    file.is_full = False
    lines.write(message="\N{SNOWMAN}")
    written = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [line.get("message") for line in written] == ["\N{SNOWMAN}", None]
    assert written[1]["lines_lost"] == 3
    monkeypatch.setattr(sys, "stdout", None)
    lines.write(message="lost")


def test_the_end_of_the_process_writes_to_no_log_that_has_failed(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(Broken(), "ascii"))
    lines = Lines()
    lines.finish()
    assert sys.stdout
    lines.write(message="lost")
    lines.finish()
    assert sys.stdout is None


def test_a_log_that_nobody_reads_stops_nothing(model):
    port = free_port()
    process = start(SERVICE, SERVE_MODEL=model, SERVE_PORT=port)  # into a pipe
    with client_of(process, port) as client:
        end = time.monotonic() + PATIENCE
        for number in range(1500):  # a pipe holds some 300 lines
            assert client.get(f"/livez?{number}").status_code == 200
            assert time.monotonic() < end
    process.kill()
    output, _ = process.communicate(timeout=PATIENCE)
    assert output
