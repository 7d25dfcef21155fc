{%- if cookiecutter.cloud == "aws" -%}
import json
from pathlib import Path

import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.cloud import provider, service

# Keeps the event that it gets
ANSWERS = """
for word; do
  case $word in --payload=fileb://*) read -r event < "${word#*=fileb://}" ;; esac
done
printf "%s" "$event" > event.json
printf "%s" "$ANSWER" > "$word"
"""


def event():
    """Return the event of the last call."""
    return json.loads(Path("event.json").read_text("utf-8"))


def test_the_function_is_invoked_as_its_api_does(programs, monkeypatch):
    programs.install("aws", script=ANSWERS)
    monkeypatch.setenv("ANSWER", '{"statusCode": 200, "body": "{}"}')
    ask = service.connect()
    assert ask("/predict", b'{"a": 1}') == (200, b"{}")
    assert f"--function-name={provider.NAME}" in programs.calls()[-1]
    assert event()["body"] == '{"a": 1}'
    assert event()["requestContext"]["http"]["method"] == "POST"
    assert ask("/readyz", None) == (200, b"{}")
    assert event()["body"] is None
    assert event()["requestContext"]["http"]["method"] == "GET"


def test_a_function_that_fails_is_an_error_of_the_service(programs, monkeypatch):
    programs.install("aws", script=ANSWERS)
    monkeypatch.setenv("ANSWER", '{"errorMessage": "no module"}')
    assert service.connect()("/readyz", None) == (500, b"")


def test_a_refusal_is_one_error(programs):
    programs.install("aws", script="echo denied >&2; exit 254")
    with pytest.raises(UserError, match="denied"):
        service.connect()("/readyz", None)
{%- else -%}
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from {{ cookiecutter.project_slug }}.cloud import service


class Handler(BaseHTTPRequestHandler):
    """Answers with the request's body, and writes down its headers."""

    def do_GET(self):
        self.server.asked.append(self.headers)
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(404 if self.path == "/missing" else 200)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    """Serve on loopback."""
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()

{% if cookiecutter.cloud == "gcp" %}
@pytest.fixture
def ask(server, programs):
    """Connect to a server which the provider's tool takes for the service."""
    url = f"http://127.0.0.1:{server.server_port}"
    programs.install("gcloud", script=f"case $1 in run) echo {url} ;; auth) echo token ;; esac")
    return service.connect()


def test_requests_carry_the_identity_of_who_is_logged_in(ask, server, programs):
    assert ask("/predict", b"{}") == (200, b"{}")
    assert server.asked[0]["X-Serverless-Authorization"] == "Bearer token"
    assert programs.calls()[-1] == ["gcloud", "auth", "print-identity-token"]


def test_a_pipeline_asks_as_its_account(server, programs, monkeypatch):
    monkeypatch.setenv("GCP_SERVICE_ACCOUNT", "deploy@ada-lab")
    programs.install("gcloud", script="echo https://service.test")
    service.connect()
    assert programs.calls()[-1][3:] == [
        "--impersonate-service-account=deploy@ada-lab",
        "--audiences=https://service.test",
    ]
{% else %}
@pytest.fixture
def ask(server, programs, monkeypatch):
    """Connect to a server which the provider's tool takes for the service."""
    programs.install("az", script=f"echo 127.0.0.1:{server.server_port}")
    request = service.urllib.request.Request
    monkeypatch.setattr(
        service.urllib.request,
        "Request",
        lambda url, *others: request(url.replace("https", "http"), *others),
    )
    return service.connect()


def test_a_service_of_its_neighbours_shuts_others_out(programs):
    programs.install("az", script="echo api.internal.region.test")
    assert service.connect()("/readyz", None) == (403, b"")
{% endif %}

def test_a_status_that_is_an_error_is_returned(ask):
    assert ask("/missing", None) == (404, b"")


def test_without_a_connection_the_service_is_not_ready(ask, server):
    server.shutdown()
    server.server_close()
    assert ask("/readyz", None) == (503, b"")
{%- endif %}
