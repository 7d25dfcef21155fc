import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import example
import httpx2
import pytest
from service import PATIENCE, free_port, is_ready, start, until
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from werkzeug import Request
from werkzeug.test import EnvironBuilder

from {{ cookiecutter.project_slug }}.serving import function

MAIN = Path(function.__file__).parents[3] / "main.py"


@pytest.fixture(scope="module")
def client(model):
    """Run the function on the server that its platform runs it on."""
    port = free_port()
    options = ["--source", MAIN, "--target", "handle", "--host", "127.0.0.1", "--port", port]
    log = subprocess.DEVNULL  # a pipe that nobody reads would soon stop the server
    server = start("functions_framework", *options, stdout=log, SERVE_MODEL=model)
    url, no_reuse = f"http://127.0.0.1:{port}", httpx2.Limits(max_keepalive_connections=0)
    try:
        with httpx2.Client(base_url=url, timeout=PATIENCE, limits=no_reuse) as client:
            until(lambda: is_ready(client), lambda: server.poll() is None)
            yield client
    finally:
        server.terminate()
        server.communicate(timeout=PATIENCE)


@pytest.mark.slow
def test_the_function_answers_as_the_service_does(client, trained):
    described = client.get("/model").json()
    body = example.request(example.random_inputs(1).repeat(2, axis=0))
    first, second = client.post("/predict", json=body).json()["predictions"]
    assert first == second
    assert first["label"] in described["classes"]
    sample = (trained / example.SAMPLE).read_bytes()
    [answer] = client.post("/predict/file", files={"file": sample}).json()["predictions"]
    assert answer["label"] == example.LABEL


@pytest.mark.slow
def test_the_function_refuses_as_the_service_does(client):
    assert client.get("/nowhere").status_code == 404
    assert client.post("/predict", content=b"no JSON").status_code == 415
    assert client.post("/predict", json={"samples": "none"}).status_code == 422


def test_requests_share_one_application(monkeypatch):
    """Threads that ask at the same time wait for the application, which is started once."""
    started = []

    @asynccontextmanager
    async def lifespan(app):
        started.append(app)
        yield

    async def shout(request):
        return PlainTextResponse((await request.body()).upper(), 201)

    app = Starlette(routes=[Route("/shout", shout, methods=["POST"])], lifespan=lifespan)
    monkeypatch.setattr(function, "load_app", lambda: app)
    monkeypatch.setattr(function, "log_json", lambda level: None)
    function.application.cache_clear()

    def ask(body):
        return function.handle(
            Request(EnvironBuilder("/shout", method="POST", data=body).get_environ())
        )

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, [b"one", b"two", b"three", b"four"]))
    function.application.cache_clear()
    assert [answer.get_data() for answer in answers] == [b"ONE", b"TWO", b"THREE", b"FOUR"]
    assert {answer.status_code for answer in answers} == {201}
    assert len(started) == 1
