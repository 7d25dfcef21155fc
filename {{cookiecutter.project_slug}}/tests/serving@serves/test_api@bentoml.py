"""BentoML's own parts of the service: its counters, its page, and its bentos."""

import shutil
import tomllib

import example
from service import PATIENCE, SOURCE, client_of, free_port, start, upload

from {{ cookiecutter.project_slug }}.inference.predictor import Predictor


def test_requests_are_counted(model, inputs):
    port = free_port()
    module = "{{ cookiecutter.project_slug }}.serving.api"
    process = start(module, SERVE_MODEL=model, SERVE_PORT=port)
    with client_of(process, port) as client:
        client.post("/predict", json=example.request(inputs[:1]))
        assert 'endpoint="/predict"' in client.get("/metrics").text
    process.terminate()
    process.communicate(timeout=PATIENCE)


def test_the_page_loads_nothing_from_elsewhere(client):
    page = client.get("/docs").text
    assert "://" not in page
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        assert f"static_content/{name}" in page
        assert client.get(f"/static_content/{name}").status_code == 200


def test_bentoml_shows_no_page_and_no_document_of_its_own(client):
    assert client.get("/", follow_redirects=True).text == client.get("/docs").text
    assert client.get("/docs.json").json() == client.get("/openapi.json").json()


def test_a_bento_answers_as_the_service_does(model, sample, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(SOURCE, project / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(model.parent, project / "models")
    shutil.copy(SOURCE.parent / "bentofile.yaml", project)
    variables = {"BENTOML_HOME": tmp_path / "bentos", "BENTOML_DO_NOT_TRACK": True}
    build = start("bentoml", "build", "--output=tag", project, **variables)
    output, errors = build.communicate(timeout=PATIENCE)
    assert (build.returncode, errors) == (0, "")
    tag = output.split("__tag__:")[1].strip()
    port = free_port()
    serve = start("bentoml", "serve", tag, f"--port={port}", PYTHONPATH="", **variables)
    with client_of(serve, port) as client:
        assert client.get("/model").json()["version"] == Predictor(model).version
        assert upload(client, sample).json()["predictions"][0]["label"] == example.LABEL
    serve.terminate()
    serve.communicate(timeout=PATIENCE)


def test_bentoml_installs_the_packages_of_the_group_serve():
    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text("utf-8"))
    groups = project["dependency-groups"]
    served = [name for name in groups["serve"] if isinstance(name, str)]
    lines = (SOURCE.parent / "bentofile.yaml").read_text("utf-8").splitlines()
    packed = [line[6:] for line in lines if line.startswith("    - ")]
    assert sorted(packed) == sorted([*groups["inference"], *served])
