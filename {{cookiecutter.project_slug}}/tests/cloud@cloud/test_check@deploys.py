import json
import shutil
from pathlib import Path

import pytest

from {{ cookiecutter.project_slug }}.cloud import check, provider
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor
from {{ cookiecutter.project_slug }}.serving.payloads import model_info, response_type
from {{ cookiecutter.project_slug }}.serving.requests import request_type, to_inputs
from {{ cookiecutter.project_slug }}.serving.settings import read_settings

TOOL = provider.LOGIN.check[0]
{%- if cookiecutter.cloud == "gcp" %}
FORMER = "{{ cookiecutter.__cloud_name }}-00007-abc"
RETURN = f"--to-revisions={FORMER}=100"
{%- elif cookiecutter.cloud == "aws" %}
REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
FORMER = f"{REGISTRY}/{{ cookiecutter.__cloud_name }}/service@sha256:" + 64 * "f"
RETURN = f"--image-uri={FORMER}"
{%- else %}
FORMER = "registry/image:c0ffee-20260101000000"
RETURN = f"--image={FORMER}"
{%- endif %}


class Service:
    """A service without HTTP: what it answers to whom can be changed."""

    def __init__(self, path):
        self.predictor = Predictor(path)
        self.info = model_info(self.predictor).model_dump()
        self.statuses = {}
        self.change = lambda prediction: prediction

    def ask(self, path, body):
        if path == "/readyz":
            answer = b"{}"
        elif path == "/model":
            answer = json.dumps(self.info).encode()
        else:
            spec = self.predictor.input_spec
            asked = request_type(spec, read_settings()).model_validate_json(body)
            best = self.predictor.best(to_inputs(asked, spec))
            kind = response_type(self.predictor.target)
            given = json.loads(kind.model_construct(predictions=best).model_dump_json())
            answer = json.dumps({"predictions": [*map(self.change, given["predictions"])]}).encode()
        return self.statuses.get(path, 200), answer


@pytest.fixture
def service(model, monkeypatch):
    """Put the trained model into this folder and into a service."""
    Path("models").mkdir()
    shutil.copy(model, "models")
    service = Service(model)
    monkeypatch.setattr(check, "connect", lambda: service.ask)
    monkeypatch.setattr(check, "PATIENCE", 0)
    monkeypatch.setattr(check.time, "sleep", lambda _: None)
    return service


def test_a_service_with_the_model_passes(cli, service):
    code, output, error = cli("cloud", "check")
    assert (code, error) == (0, "")
    assert output.endswith(f"predicts with the model {service.predictor.version}\n")


def test_a_new_copy_may_take_its_time(cli, service, monkeypatch):
    monkeypatch.setattr(check, "PATIENCE", 600)
    service.statuses["/readyz"] = 503
    monkeypatch.setattr(check.time, "sleep", lambda _: service.statuses.clear())
    assert cli("cloud", "check")[0] == 0


def refused(cli, *reasons):
    """Say whether the command ends with one line that has these reasons."""
    code, output, error = cli("cloud", "check")
    assert (code, output, len(error.splitlines())) == (2, "", 1)
    return all(reason in error for reason in reasons)


@pytest.mark.parametrize("path", ["/readyz", "/model", "/predict"])
def test_a_service_that_does_not_answer_fails(cli, service, path):
    service.statuses[path] = 503
    assert refused(cli, f"{path} answers with status 503")


def test_another_model_fails(cli, service):
    service.info["version"] = "0123456789ab"
    assert refused(cli, f"it has the model 0123456789ab, and not {service.predictor.version}")


@pytest.mark.parametrize("change", [lambda value: value + 0.1, lambda _: "other"])
def test_another_prediction_fails(cli, service, change):
    def changed(prediction):
        name = next(name for name, value in prediction.items() if type(value) is type(change(1.0)))
        return prediction | {name: change(prediction[name])}

    service.change = changed
    assert refused(cli, "it predicts {", ", and not {")


@pytest.mark.parametrize("change", [lambda _: {}, lambda _: None])
def test_answers_of_something_else_fail(cli, service, change):
    service.change = change
    assert refused(cli, "its answers are not those of this project's service")


@pytest.mark.parametrize("status", sorted(check.SHUT_OUT))
def test_a_service_that_shuts_this_machine_out_is_not_checked(cli, service, status):
    service.statuses["/model"] = status
    code, output, error = cli("cloud", "check")
    assert (code, output) == (3, "")
    assert error == f"NOT CHECKED: /model answers this machine with status {status}\n"


@pytest.fixture
def deployed(programs, service):
    """Install what a deployment starts; the provider's tool knows what is in service."""
    programs.install("{{ "docker" if cookiecutter.docker else "dependency-groups" }}", "git")
    programs.install(TOOL, script=f"echo {FORMER}")
    return programs


def test_a_deployment_that_answers_stays(cli, deployed):
    code, _, error = cli("cloud", "deploy", "--check")
    assert (code, error) == (0, "")
    assert not any(RETURN in words for words in deployed.calls())


def test_a_deployment_that_answers_wrongly_is_taken_back(cli, deployed, service):
    service.statuses["/predict"] = 500
    code, _, error = cli("cloud", "deploy", "--check")
    assert (code, len(error.splitlines())) == (2, 1)
    assert "status 500; what ran before is in service again" in error
{%- if cookiecutter.cloud == "aws" %}
    # The last command waits for it
    assert any(RETURN in words for words in deployed.calls()[-2:])
{%- else %}
    assert RETURN in deployed.calls()[-1]
{%- endif %}


def test_a_deployment_that_nobody_can_ask_stays(cli, deployed, service):
    service.statuses["/model"] = 403
    assert cli("cloud", "deploy", "--check")[0] == 3
    assert not any(RETURN in words for words in deployed.calls())


def test_a_deployment_is_asked_only_if_that_is_wanted(cli, deployed, service):
    service.statuses["/predict"] = 500
    assert cli("cloud", "deploy")[0] == 0
