"""Who may use the service: keys, rates, host names, and pages in browsers."""

import os
import re
import time
from pathlib import Path

import example
import pytest
from service import running, until

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.serving.access import Keys, make_key, read_keys

WEB, WEB_LINE = make_key("web", admin=False)
BOSS, BOSS_LINE = make_key("boss", admin=True)


@pytest.fixture
def keys():
    path = Path("keys.txt")
    path.write_text(f"# clients\n{WEB_LINE}\n\n{BOSS_LINE}\n")
    return path


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def test_a_key_is_asked_for(slow, keys, inputs):
    slow.may_run.set()
    body = example.request(inputs[:1])
    with running(slow, keys_file=keys) as client:
        until(lambda: client.get("/readyz").status_code == 200)  # a probe has no key
        answer = client.post("/predict", json=body)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        for wrong in ("x", WEB[:-1], WEB_LINE.split()[1], "\xff", "x" * 10_000):
            headers = {"Authorization": f"Bearer {wrong}".encode("latin-1")}
            answer = client.post("/predict", json=body, headers=headers)
            assert answer.status_code == 401
            assert "invalid_token" in answer.headers["www-authenticate"]
        assert client.get("/model", auth=("web", WEB)).status_code == 401
        assert client.post("/predict", json=body, headers=bearer(WEB)).status_code == 200
        assert client.get("/model", headers={"authorization": f"bearer {BOSS}"}).status_code == 200
        assert client.get("/docs").status_code == 200
        document = client.get("/openapi.json").json()
        described = document["paths"]["/predict"]["post"]
        assert {"401", "429"} < set(described["responses"])
        [[scheme]] = described.get("security") or document["security"]
        assert document["components"]["securitySchemes"][scheme]["scheme"] == "bearer"
        assert not document["paths"]["/livez"]["get"].get("security")


@pytest.mark.parametrize("path", ["/predict/", "//predict", "/docs/../predict", "/readyz/../model"])
def test_no_path_leads_around_the_key(slow, keys, path):
    slow.may_run.set()
    with running(slow, keys_file=keys) as client:
        answer = client.post(path, json=example.request(example.SPEC.zeros(1)))
        assert answer.status_code in {401, 404, 405}
        assert "predictions" not in answer.text


def test_only_an_administrator_reloads_the_model(slow, keys):
    slow.may_run.set()
    with running(slow) as client:
        assert client.post("/model/reload").status_code == 403
    with running(slow, keys_file=keys, model=slow.path) as client:
        assert client.post("/model/reload").status_code == 401
        answer = client.post("/model/reload", headers=bearer(WEB))
        assert answer.status_code == 403
        assert "insufficient_scope" in answer.headers["www-authenticate"]
        assert client.post("/model/reload", headers=bearer(BOSS)).status_code == 200


def test_the_log_names_the_client_and_holds_no_key(slow, keys, capfd):
    slow.may_run.set()
    with running(slow, keys_file=keys) as client:
        client.get("/model", headers=bearer(WEB))
        client.get(f"/model?key={BOSS}", headers=bearer(BOSS[:-1]))
    written = "".join(capfd.readouterr())
    assert WEB not in written
    assert BOSS[:-1] not in written


def test_keys_change_without_a_restart(keys, caplog):
    found = Keys(keys)

    def change(text):
        keys.write_text(text)
        os.utime(keys, ns=(time.time_ns(), time.time_ns()))
        found.next_look = 0

    assert found.find(WEB).name == "web"
    other, line = make_key("other", admin=False)
    change(f"{line}\n{BOSS_LINE}\n")
    assert [bool(found.find(key)) for key in (WEB, BOSS, other)] == [False, True, True]
    for broken in ("", "web\n", f"web {other}"):
        change(broken)
        assert found.find(other)
    assert "the old keys are kept" in caplog.text
    assert other not in caplog.text
    keys.unlink()
    found.next_look = 0
    assert found.find(other)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no key"),
        (b"# nobody\n", "no key"),
        (b"\xff\xfe", "UTF-8"),
        (b"web\n", "line 1"),
        (f"{WEB_LINE}\nother {WEB}\n".encode(), "line 2"),
        (f"{WEB_LINE} root\n".encode(), "line 1"),
        (f"{WEB_LINE}\n".encode() * 20_000, "more than"),
    ],
)
def test_a_file_that_lists_no_keys_is_refused(content, reason):
    path = Path("keys.txt")
    path.write_bytes(content)
    with pytest.raises(UserError, match=reason) as refused:
        read_keys(path)
    assert WEB not in str(refused.value)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(UserError, match=re.escape("SERVE_KEYS_FILE='nowhere.txt': No such file")):
        read_keys(Path("nowhere.txt"))


def test_the_command_line_makes_a_key(cli):
    code, line, said = cli("key", "web", "--admin")
    Path("keys.txt").write_text(line)
    client = Keys(Path("keys.txt")).find(said.split()[-1])
    assert (code, client.name, client.admin) == (0, "web", True)


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "a\n", "ü/"])
def test_a_name_that_can_not_stand_in_the_file_is_refused(name):
    with pytest.raises(UserError, match="no name of a client"):
        make_key(name, admin=False)


def test_each_key_has_a_rate(slow, keys):
    slow.may_run.set()
    with running(slow, keys_file=keys, rate=0.001) as client:
        assert client.get("/model", headers=bearer(WEB)).status_code == 200
        answer = client.get("/model", headers=bearer(WEB))
        assert (answer.status_code, 900 < int(answer.headers["retry-after"]) <= 1000) == (429, True)
        assert client.get("/model", headers=bearer(BOSS)).status_code == 200
        assert client.get("/livez").status_code == 200


def test_a_second_of_requests_may_come_at_once(keys):
    client = Keys(keys).clients[0]
    assert [client.wait(3) > 0 for _ in range(4)] == [False] * 3 + [True]
    client.since -= 0.7  # seconds pass
    assert [client.wait(3) > 0 for _ in range(3)] == [False, False, True]
    client.since -= 1000
    assert [client.wait(3) > 0 for _ in range(4)] == [False] * 3 + [True]


def test_the_service_has_names(slow):
    hosts = "api.example.com,*.example.org,[::1]"
    with running(slow, hosts=hosts) as client:
        for host, status in {
            "api.example.com": 200,
            "API.example.com:8000": 200,
            "a.b.example.org": 200,
            "[::1]:80": 200,
            "example.org": 421,
            "api.example.com.evil.net": 421,
            "evilexample.org": 421,
            "api.example.com:80:80": 421,
            "": 421,
        }.items():
            assert client.get("/model", headers={"Host": host}).status_code == status, host
        assert client.get("/livez").status_code == 200


def test_pages_of_an_origin_may_ask(slow, keys):
    with running(slow, origins="https://example.com", keys_file=keys) as client:
        good, bad = {"Origin": "https://example.com"}, {"Origin": "https://example.net"}
        asked = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        answer = client.options("/predict", headers=good | asked)  # browsers send no key with it
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://example.com"
        assert client.options("/predict", headers=bad | asked).status_code == 400
        for origin in (good, bad):  # an error has to be readable, too
            answer = client.get("/model", headers=origin)
            allowed = answer.headers.get("access-control-allow-origin")
            assert (answer.status_code, allowed == origin["Origin"]) == (401, origin is good)
