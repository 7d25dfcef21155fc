"""What the tests of the service share: a service in this process or in one of its own."""

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2
from application import application

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor
from {{ cookiecutter.project_slug }}.serving.server import Server
from {{ cookiecutter.project_slug }}.serving.settings import Settings

SOURCE = Path(sys.modules[UserError.__module__].__file__).parents[1]
LARGEST = 200_000  # bytes of a body
# Of a request with so many bytes
HEAD = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n"
)
# Seconds. A busy machine may take minutes: only a service that hangs is to reach this limit
PATIENCE = 600


class SlowPredictor(Predictor):
    """Waits with each answer until `may_run` is set, fails while `broken`, counts its calls.

    `has_inputs` is set as soon as it has something to answer.
    """

    def __init__(self, path):
        super().__init__(path)
        self.may_run = threading.Event()
        self.has_inputs = threading.Event()
        self.broken = False
        self.calls = 0

    def best(self, inputs):
        self.has_inputs.set()
        assert self.may_run.wait(PATIENCE)
        self.calls += 1
        if self.broken:
            raise RuntimeError("broken")
        return super().best(inputs)


def until(condition, alive=lambda: True):
    """Wait for a condition, as long as the service is alive."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert alive() or condition(), "the service has ended"
        assert time.monotonic() < end, f"nothing has happened for {PATIENCE} s"
        time.sleep(0.01)


def is_ready(client):
    try:
        return client.get("/readyz").status_code == 200
    except httpx2.TransportError:  # it does not listen yet
        return False


@contextmanager
def running(predictor, **settings):
    """Serve in a thread of this process, and yield a client."""
    chosen = Settings(**{"max_body": LARGEST, **settings})
    with (
        application(predictor, chosen) as app,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        server = Server(app, chosen)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        host, port = listener.getsockname()
        try:
            with httpx2.Client(base_url=f"http://{host}:{port}", timeout=PATIENCE) as client:
                until(lambda: server.started, thread.is_alive)
                client.server = server
                yield client
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def answering(path):
    """Run a service of a model's file in this process, and wait until it is ready."""
    with running(Predictor(path)) as client:
        until(lambda: is_ready(client))
        yield client


def in_progress(client, count):
    """Wait until a service of this process works on so many requests."""
    until(lambda: len(client.server.server_state.tasks) == count)


def busy(client, slow, pool, body):
    """Give the model a batch that it does not answer until `may_run` is set."""
    slow.may_run.set()
    until(lambda: is_ready(client))
    slow.may_run.clear()
    slow.has_inputs.clear()
    answer = pool.submit(client.post, "/predict", json=body)
    until(slow.has_inputs.is_set)
    return answer


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def start(*command, stdout=subprocess.PIPE, **variables):
    """Start a Python module in a process of its own, as a user does.

    It takes a free port, unless SERVE_PORT names one: port 8000 may be another service's.
    """
    environment = {name: str(value) for name, value in variables.items()}
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, command)],
        env=os.environ | {"PYTHONPATH": str(SOURCE), "SERVE_PORT": "0", **environment},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def client_of(process, port):
    """Wait until the service of a process is ready, and yield a client."""
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
        until(lambda: is_ready(client), lambda: process.poll() is None)
        yield client


def upload(client, content, name="sample"):
    return client.post("/predict/file", files={"file": (name, content)})
