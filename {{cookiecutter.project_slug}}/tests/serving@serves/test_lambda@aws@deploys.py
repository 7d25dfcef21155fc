"""The Lambda function, started by AWS's own runtime client and asked as an HTTP API asks it."""

import base64
import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue

import example
import httpx2
import numpy as np
import pytest
from service import LARGEST, start, until

from {{ cookiecutter.project_slug }}.inference.predictor import Predictor

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="AWS's runtime client is made for Linux only"
)

HANDLER = "{{ cookiecutter.project_slug }}.serving.aws_lambda.handler"


class RuntimeApi(BaseHTTPRequestHandler):
    """Gives a function its events, one by one, and takes its answers."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.server.events.get()
        self.reply(200, body, {"Lambda-Runtime-Aws-Request-Id": "1"})

    def do_POST(self):
        body = b""
        if length := self.headers["Content-Length"]:
            body = self.rfile.read(int(length))
        else:
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        self.server.answers.put((self.path.rpartition("/")[2], json.loads(body)))
        self.reply(202, b"{}", {})

    def reply(self, status, body, headers):
        self.send_response(status)
        headers |= {"Content-Length": str(len(body)), "Content-Type": "application/json"}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def function(model):
    """Start the function in a process of its own, and yield its runtime API."""
    with ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi) as api:
        api.daemon_threads = True
        api.events, api.answers = Queue(), Queue()
        threading.Thread(target=api.serve_forever, daemon=True).start()
        process = start(
            "awslambdaric",
            HANDLER,
            stdout=subprocess.DEVNULL,  # a pipe that nobody reads would soon stop the function
            AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{api.server_port}",
            SERVE_MAX_BODY=LARGEST,
            SERVE_MODEL=model,
        )
        api.is_alive = lambda: process.poll() is None
        yield api
        process.kill()
        process.communicate()
        api.shutdown()


def next_answer(api):
    until(lambda: not api.answers.empty(), api.is_alive)
    return api.answers.get()


@pytest.fixture(scope="module")
def client(model):
    """Ask the function through a transport that does the work of the HTTP API."""
    with function(model) as api:

        def answer(request):
            body = request.read()
            text = request.headers.get("content-type") == "application/json"
            event = {
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": request.url.path,
                "rawQueryString": "",
                "headers": dict(request.headers),
                "requestContext": {
                    "apiId": "api",
                    "domainName": request.url.host,
                    "http": {
                        "method": request.method,
                        "path": request.url.path,
                        "protocol": "HTTP/1.1",
                        "sourceIp": "192.0.2.1",
                        "userAgent": request.headers["user-agent"],
                    },
                    "requestId": "1",
                    "routeKey": "$default",
                    "stage": "$default",
                },
                "body": body.decode() if text else base64.b64encode(body).decode(),
                "isBase64Encoded": not text,
            }
            api.events.put(json.dumps(event).encode())
            kind, content = next_answer(api)
            assert kind == "response", content
            status, headers, body = (content[name] for name in ("statusCode", "headers", "body"))
            encoded = content["isBase64Encoded"]
            return httpx2.Response(
                status, headers=headers, content=base64.b64decode(body) if encoded else body
            )

        transport = httpx2.MockTransport(answer)
        with httpx2.Client(transport=transport, base_url="https://api") as client:
            yield client


def test_the_first_event_finds_a_model_that_has_answered(client):
    assert client.get("/readyz").status_code == 200


def test_a_batch_is_answered_like_the_predictor_does(client, model, trained):
    inputs = np.load(trained / example.FOLDER / "test_inputs.npy")[:20]
    expected = Predictor(model).best(inputs)
    for _ in range(3):
        answer = client.post("/predict", json=example.request(inputs))
        assert answer.status_code == 200
        predictions = answer.json()["predictions"]
        assert [row["label"] for row in predictions] == [one.label for one in expected]
        for row, one in zip(predictions, expected, strict=True):
            assert row["probability"] == pytest.approx(one.probability, rel=1e-4)


def test_an_upload_is_answered(client, trained):
    sample = (trained / example.SAMPLE).read_bytes()
    answer = client.post("/predict/file", files={"file": ("sample", sample)})
    assert (answer.status_code, answer.json()["predictions"][0]["label"]) == (200, example.LABEL)
    answer = client.post("/predict/file", files={"file": ("sample", b"\xff\0")})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("content", "status"),
    [("not json", 422), ("{}", 422), (" " * (LARGEST + 1), 413)],
)
def test_a_wrong_body_is_refused(client, content, status):
    headers = {"content-type": "application/json"}
    answer = client.post("/predict", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_an_unknown_path_is_not_found(client):
    assert client.get("/nowhere").status_code == 404


def test_a_missing_model_is_named(tmp_path):
    with function(tmp_path / "gone") as api:
        kind, error = next_answer(api)
    assert (kind, error["errorType"]) == ("error", "UserError")
    assert str(tmp_path / "gone") in error["errorMessage"]
