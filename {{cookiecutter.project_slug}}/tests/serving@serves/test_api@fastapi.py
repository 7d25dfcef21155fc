"""The request ids: in answers, in the log, and beside an error of the model."""

import json
import os
import signal

import example
import pytest
from service import PATIENCE, client_of, free_port, is_ready, running, start, until


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
