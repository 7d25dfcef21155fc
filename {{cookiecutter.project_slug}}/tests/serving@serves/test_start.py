"""How the service starts: what it refuses in one line, and the addresses that it listens on."""

import re
import socket
from pathlib import Path

import pytest
from service import PATIENCE, start

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.serving.server import listen
from {{ cookiecutter.project_slug }}.serving.settings import Settings, read_settings

SERVICE = "{{ cookiecutter.project_slug }}.serving.api"
DOCS = Path(__file__).resolve().parents[2] / "docs/serving.md"


def refusal_of_process(**settings):
    """Start the service, which ends with code 2 and one line."""
    process = start(SERVICE, **settings)
    output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output, len(errors.splitlines())) == (2, "", 1)
    return errors


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "models/model"),
        ({"SERVE_MODEL": "nowhere.ckpt"}, "nowhere.ckpt"),
        ({"SERVE_PORT": "many"}, "SERVE_PORT='many'"),
        ({"SERVE_KEYS_FILE": "nowhere.txt"}, "SERVE_KEYS_FILE='nowhere.txt'"),
    ],
)
def test_a_process_names_what_is_wrong_in_one_line(settings, named):
    assert named in refusal_of_process(**settings).replace("\\", "/")


@pytest.mark.parametrize("content", [b"", b"text", "half"])
def test_a_model_that_can_not_answer_is_named_in_one_line(model, content):
    path = Path(f"some{model.suffix}")
    whole = model.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    assert str(path) in refusal_of_process(SERVE_MODEL=path)


def test_a_port_that_is_taken_is_named(model):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        errors = refusal_of_process(SERVE_MODEL=model, SERVE_PORT=port)
    assert f"SERVE_PORT={port}: Address already in use" in errors


def refusal(monkeypatch, **variables):
    """Read settings that are refused in one line."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as refused:
        read_settings()
    text = str(refused.value)
    assert len(text.splitlines()) == 1
    return text


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("SERVE_HOST", [""]),
        ("SERVE_PORT", ["", "-1", "65536", "80 80", "8\n0"]),
        ("SERVE_THREADS", ["0", "100000"]),
        ("SERVE_MAX_BATCH", ["0", "1000000000"]),
        ("SERVE_MAX_QUEUE", ["0", "1000000000"]),
        ("SERVE_MAX_CONNECTIONS", ["0", "1000000000"]),
        ("SERVE_MAX_HEADER", ["0", "1000000000"]),
        ("SERVE_MAX_BODY", ["0", "1000000000000"]),
        ("SERVE_TIMEOUT", ["0", "-1", "nan", "inf", "4000"]),
        ("SERVE_READ_TIMEOUT", ["0", "nan", "inf", "4000"]),
        ("SERVE_IDLE_TIMEOUT", ["0", "nan", "inf", "4000"]),
        ("SERVE_GRACE", ["0", "nan", "inf", "4000"]),
        ("SERVE_RATE", ["-1", "nan", "inf"]),
        ("SERVE_HOSTS", ["", "a b", "http://a", "a,,b", "a:80", "ü"]),
        ("SERVE_ORIGINS", ["", "example.com", "https://a/b", "none,none"]),
        ("SERVE_PROXIES", ["", "proxy", "10.0.0.1,,10.0.0.2", "10.0.0.1/8", "none,10.0.0.1"]),
        ("SERVE_WORKERS", ["0", "1000"]),
        ("SERVE_DOCS", ["perhaps"]),
        ("SERVE_LOG_LEVEL", ["LOUD"]),
    ],
)
def test_a_value_without_meaning_is_refused(monkeypatch, name, values):
    for value in values:
        assert f"{name}={value!r}: " in refusal(monkeypatch, **{name: value})


def test_settings_that_contradict_each_other_are_refused(monkeypatch):
    text = refusal(monkeypatch, SERVE_MAX_QUEUE="63", SERVE_MAX_BATCH="64")
    assert "SERVE_MAX_QUEUE=63 is smaller than SERVE_MAX_BATCH=64" in text
    monkeypatch.setenv("SERVE_MAX_QUEUE", "64")
    assert read_settings().max_queue == 64
    text = refusal(monkeypatch, SERVE_TIMEOUT="30", SERVE_GRACE="29.5")
    assert "SERVE_GRACE=29.5 is shorter than SERVE_TIMEOUT=30" in text
    monkeypatch.setenv("SERVE_GRACE", "30")
    assert read_settings().grace == 30
    text = refusal(monkeypatch, SERVE_RATE="2")
    assert "SERVE_RATE=2 limits the requests of each key: set SERVE_KEYS_FILE" in text
    monkeypatch.setenv("SERVE_KEYS_FILE", "keys.txt")
    assert read_settings().rate == 2


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("SERVE_MAX_QUEU", "SERVE_MAX_QUEUE"),
        ("SERVE_PROT", "SERVE_PORT"),
        ("serve_time_out", "SERVE_TIMEOUT"),
        ("SERVE_API_PORT", "SERVE_PORT"),
    ],
)
def test_a_name_that_is_misspelt_is_refused_with_the_nearest_one(monkeypatch, name, nearest):
    text = refusal(monkeypatch, **{name: "9"})
    assert text.startswith(name.upper())
    assert text.endswith(nearest)


def test_the_variables_of_kubernetes_are_let_through(monkeypatch):
    for name, value in {
        "SERVE_SERVICE_HOST": "10.0.0.1",
        "SERVE_SERVICE_PORT": "8000",
        "SERVE_SERVICE_PORT_HTTP": "8000",
        "SERVE_PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "SERVE_PORT_8000_TCP_PROTO": "tcp",
        "SERVE_MODELS_SERVICE_HOST": "10.0.0.2",
        "SERVE_MODELS_PORT": "tcp://10.0.0.2:8000",
    }.items():
        monkeypatch.setenv(name, value)
    assert read_settings() == Settings()
    text = refusal(monkeypatch, SERVE_PORT="tcp://10.0.0.1:8000")
    assert "Kubernetes" in text


def test_the_page_lists_the_settings_with_their_defaults():
    text = DOCS.read_text("utf-8").replace("| none |", "| `None` |")
    rows = re.findall(r"^\| `(SERVE_\w+)` \| `(.*?)` \|", text, re.MULTILINE)
    defaults = {name: str(value) for name, value in Settings().model_dump().items()}
    defaults["docs"] = defaults["docs"].lower()
    shown = {f"SERVE_{name.upper()}": text.removesuffix(".0") for name, text in defaults.items()}
    assert dict(rows) == {name: text.replace("\\", "/") for name, text in shown.items()}


def reached(listener, address):
    """Connect to a listening socket."""
    port = listener.getsockname()[1]
    with socket.create_connection((address, port), timeout=PATIENCE) as client:
        accepted, _ = listener.accept()
        with accepted:
            return client.getpeername()[0] == address


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("0.0.0.0", ["127.0.0.1"]),  # noqa: S104
        ("localhost", ["127.0.0.1"]),
        ("::1", ["::1"]),
        ("::", ["::1", "127.0.0.1"]),
    ],
)
def test_it_listens_on_the_address(host, addresses):
    if ":" in host:
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            pytest.skip("this machine has no IPv6")
    with listen(host, 0) as listener:
        assert all(reached(listener, address) for address in addresses)


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1", "2001:db8::1", "ü" * 100, "a b"])
def test_an_address_that_is_not_of_this_machine_is_named(host):
    with pytest.raises(UserError) as refused:
        listen(host, 0)
    assert str(refused.value).startswith(f"SERVE_HOST={host!r}, SERVE_PORT=0: ")
    assert len(str(refused.value).splitlines()) == 1
