"""The proxy of compose.yaml: a real nginx with its configuration, before a server that counts."""

import http.client
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from bakery import bake
from machine import plain_environment
from tools import PATIENCE, free_port, wait_until

pytestmark = pytest.mark.skipif(not shutil.which("nginx"), reason="there is no nginx")
HEAD = b"POST /predict HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 1000\r\n\r\n"


class Service(BaseHTTPRequestHandler):
    """Answers with what it has got, and counts the connections."""

    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        super().setup()
        Service.connections += 1

    def do_POST(self) -> None:
        size = len(self.rfile.read(int(self.headers["Content-Length"] or 0)))
        answer = json.dumps({"size": size, **{k.lower(): v for k, v in self.headers.items()}})
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Start the service and nginx before it; return the port of nginx."""
    Service.connections = 0
    project = bake({"serving": "bentoml"}, tmp_path).path
    text = (project / "dockerfiles/nginx.conf").read_text("utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    Thread(target=server.serve_forever, daemon=True).start()
    port = free_port()
    for old, new in {
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "server api:8000;": f"server 127.0.0.1:{server.server_port};",
        "/tmp/": f"{tmp_path}/",  # noqa: S108 - the container's own
    }.items():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "nginx.conf").write_text(text, encoding="utf-8")
    globals_ = "daemon off;" + (" user root;" if os.geteuid() == 0 else "")
    command = ["nginx", "-e", "stderr", "-c", str(tmp_path / "nginx.conf"), "-g", globals_]
    with subprocess.Popen(command, env=plain_environment()) as nginx:
        wait_until(lambda: answers(port), lambda: "" if nginx.poll() is None else "nginx has ended")
        Service.connections = 0
        yield port
        nginx.terminate()
    server.shutdown()
    server.server_close()


def answers(port: int) -> bool:
    try:
        return ask(port, "GET", "/livez")[0] == 200
    except ConnectionError:
        return False


def ask(
    port: int, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str | int]]:
    """Send a request; return the status, and what the service got."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if answer.status == 200 else {}


def test_it_passes_on_what_a_client_asks_and_where_it_comes_from(port: int) -> None:
    forged = {"X_Forwarded_For": "203.0.113.1", "X_Forwarded_Proto": "https"}
    status, got = ask(port, "POST", "/predict", b"x" * 1000, **forged, Authorization="Bearer key")
    assert (status, got["size"], got["authorization"]) == (200, 1000, "Bearer key")
    assert (got["x-forwarded-for"], got["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert got["host"] == f"127.0.0.1:{port}"


@pytest.mark.parametrize("path", ["/metrics", "/model/reload", "//metrics", "/model/%72eload"])
def test_it_hides_what_is_for_operators(port: int, path: str) -> None:
    assert ask(port, "POST", path)[0] == 404
    assert Service.connections == 0
    assert ask(port, "GET", "/model")[0] == 200


def test_a_body_that_is_too_large_does_not_reach_the_service(port: int) -> None:
    assert ask(port, "POST", "/predict", b"x" * 10_000_000)[0] == 200
    before = Service.connections
    assert ask(port, "POST", "/predict", b"x" * 10_500_000)[0] == 413
    assert Service.connections == before


def test_clients_that_send_slowly_reach_nobody(port: int) -> None:
    with ExitStack() as opened:
        for _ in range(30):
            slow = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            slow.sendall(HEAD + b"x" * 999)
        assert ask(port, "POST", "/predict", b"x")[0] == 200
        assert Service.connections == 1


def test_a_client_has_so_many_connections(port: int) -> None:
    with ExitStack() as opened:
        for _ in range(40):
            slow = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            slow.sendall(HEAD)
        wait_until(lambda: ask(port, "GET", "/livez")[0] == 429, lambda: "")
    wait_until(lambda: ask(port, "GET", "/livez")[0] == 200, lambda: "")


def test_a_client_asks_so_often(port: int) -> None:
    def burst() -> list[int]:
        """Ask 200 times, from a few connections at a time."""
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda _: ask(port, "GET", "/livez")[0], range(200)))

    first = burst()
    assert set(first) <= {200, 429}
    assert first.count(200) >= 100
    wait_until(lambda: 429 in burst(), lambda: "")
