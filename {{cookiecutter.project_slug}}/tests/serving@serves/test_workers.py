"""Several processes answer on one port."""

import json
import os
import signal
import sys
from pathlib import Path
from shutil import copyfile

import example
import httpx2
import pytest
from service import PATIENCE, client_of, free_port, start, until

SERVICE = "{{ cookiecutter.project_slug }}.serving.api"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has one process")


def lines():
    """Read the log's whole lines."""
    whole, _, _ = Path("log").read_text().rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def pids():
    """List the processes that have started, in order."""
    begin = "Started server process ["
    texts = [line["message"] for line in lines()]
    return [int(text.removeprefix(begin)[:-1]) for text in texts if text.startswith(begin)]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def service(model):
    """Start two processes, and yield the one that looks after them and a client."""
    port = free_port()
    path = copyfile(model, f"model{model.suffix}")
    settings = {"SERVE_MODEL": path, "SERVE_PORT": port, "SERVE_WORKERS": 2}
    with Path("log").open("w") as log:
        process = start(SERVICE, stdout=log, **settings)
    try:
        with client_of(process, port) as client:
            until(lambda: len(pids()) == 2, lambda: process.poll() is None)
            yield process, client
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


def test_one_that_dies_is_followed_by_another(service, inputs):
    process, client = service
    os.kill(pids()[0], signal.SIGKILL)
    until(lambda: len(pids()) == 3, lambda: process.poll() is None)
    body = example.request(inputs[:1])
    for _ in range(20):
        with httpx2.Client(base_url=client.base_url, timeout=PATIENCE) as other:
            assert other.post("/predict", json=body).status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=PATIENCE)[1] == ""
    assert process.returncode == 0
    assert not any(map(is_alive, pids()))
    ended = [line["exit_code"] for line in lines() if "exit_code" in line]
    assert ended == [-signal.SIGKILL]


def test_all_of_them_try_another_model(service):
    process, _ = service
    [path] = Path.cwd().glob("model.*")
    path.write_bytes(b"no model")
    process.send_signal(signal.SIGHUP)
    until(lambda: sum("is kept" in line["message"] for line in lines()) == 2)
    assert process.poll() is None


def test_they_end_with_the_one_that_looks_after_them(service):
    process, _ = service
    process.kill()
    until(lambda: not any(map(is_alive, pids())))


def test_what_is_wrong_is_said_once():
    process = start(SERVICE, SERVE_WORKERS=3, SERVE_MODEL="nowhere.ckpt")
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, len(errors.splitlines())) == (2, 1)
    assert "nowhere.ckpt" in errors
