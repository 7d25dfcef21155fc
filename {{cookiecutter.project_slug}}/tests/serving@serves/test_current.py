"""Another model takes the place of the one that answers."""

import asyncio
from pathlib import Path
from shutil import copyfile

import example
import pytest
{%- if not cookiecutter.onnx_export %}
import torch
{%- endif %}
from service import running

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor
from {{ cookiecutter.project_slug }}.serving.access import make_key
from {{ cookiecutter.project_slug }}.serving.current import Current
from {{ cookiecutter.project_slug }}.serving.settings import Settings

KEY, LINE = make_key("boss", admin=True)
ADMIN = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def other_model(model):
    """Return the file of a model that takes the same inputs."""
{%- if cookiecutter.onnx_export %}
    return model.with_name("model.int8.onnx")
{%- else %}
    content = torch.load(model, weights_only=True)
    torch.save(content | {"metrics": {"accuracy": 0.5}}, "other.ckpt")
    return Path("other.ckpt")
{%- endif %}


def replace(path, content):
    """Put another file in the place of one, at once."""
    other = path.with_name("other")
    other.write_bytes(content)
    other.replace(path)


@pytest.fixture
def path(model):
    return Path(copyfile(model, f"model{model.suffix}"))


@pytest.fixture
def keys():
    Path("keys.txt").write_text(LINE)
    return Path("keys.txt")


def test_a_new_model_follows_and_answers_name_it(path, keys, other_model, inputs):
    body = example.request(inputs[:1])
    versions = [Predictor(model).version for model in (path, other_model)]
    with running(Predictor(path), model=path, keys_file=keys) as client:
        client.headers = ADMIN
        assert client.post("/predict", json=body).headers["x-model-version"] == versions[0]
        replace(path, other_model.read_bytes())
        assert client.post("/predict", json=body).headers["x-model-version"] == versions[0]
        assert client.post("/model/reload").json()["version"] == versions[1]
        assert client.post("/predict", json=body).headers["x-model-version"] == versions[1]
        assert client.get("/model").json()["version"] == versions[1]


def test_a_model_that_can_not_be_used_leaves_the_old_one(path, keys, inputs):
    body = example.request(inputs[:1])
    whole, version = path.read_bytes(), Predictor(path).version
    with running(Predictor(path), model=path, keys_file=keys) as client:
        client.headers = ADMIN
        for content in (b"", whole[: len(whole) // 2], b"text"):
            replace(path, content)
            answer = client.post("/model/reload")
            assert (answer.status_code, str(path) in answer.json()["detail"]) == (409, True)
            answer = client.post("/predict", json=body)
            assert (answer.status_code, answer.headers["x-model-version"]) == (200, version)
        path.unlink()
        assert client.post("/model/reload").status_code == 409
        assert client.get("/readyz").status_code == 200


def test_a_model_with_other_inputs_is_refused(path, caplog):
    first = Predictor(path)
    first.input_spec = None
    current = Current(first, Settings(model=path))
    with pytest.raises(UserError, match="other inputs"):
        asyncio.run(current.reload())
    assert current.predictor is first
    assert f"the model {first.version} is kept" in caplog.text
