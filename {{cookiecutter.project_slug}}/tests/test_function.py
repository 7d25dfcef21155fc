import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from werkzeug import Request
from werkzeug.test import EnvironBuilder

from {{ cookiecutter.project_slug }}.function import application, handle

ROOT = Path(__file__).resolve().parents[1]


def asked(path, **options):
    """Ask the function in this process."""
    return handle(Request(EnvironBuilder(path, **options).get_environ()))


@pytest.fixture
def function(model, monkeypatch):
    monkeypatch.setenv("SERVE_MODEL", str(model))
    application.cache_clear()
    yield asked
    application.cache_clear()


@pytest.fixture
def client(model):
    """Run the function on the server that its platform runs it on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    source = ["--source", str(ROOT / "main.py"), "--target", "handle"]
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "functions_framework", *source),
            *("--host", address[0], "--port", str(address[1])),
        ],
        env=os.environ | {"SERVE_MODEL": str(model)},
    )
    try:
        with httpx.Client(base_url="http://{}:{}".format(*address), timeout=60) as client:
            for _ in range(200):
                try:
                    if client.get("/readyz").status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.3)
            yield client
    finally:
        server.terminate()
        server.wait(30)


def test_requests_reach_the_application(function):
    assert function("/livez").status_code == 200
    assert function("/nowhere").status_code == 404
    described = function("/model").json
    images = np.zeros((2, *described["image_shape"]), int).tolist()
    first, second = function("/predict", method="POST", json={"images": images}).json["predictions"]
    assert first == second
    assert first["label"] in described["classes"]


def test_a_wrong_request_is_answered_in_the_words_of_the_service(function):
    answer = function("/predict", method="POST", json={"images": [[["dark"]]]})
    assert answer.status_code == 422
    assert answer.json["detail"]


@pytest.mark.slow
def test_the_platform_serves_the_function(client, trained):
    picture = trained / "data/processed/digits/samples/7.png"
    answer = client.post("/predict/file", files={"file": picture.read_bytes()})
    assert answer.status_code == 200
    assert answer.json()["label"] == "7"
    assert client.post("/predict", content=b"no JSON").status_code == 415
