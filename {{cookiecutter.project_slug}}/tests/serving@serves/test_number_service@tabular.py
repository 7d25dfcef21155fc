"""A service that predicts a number: its answers, and its OpenAPI document."""

import subprocess
import sys

import numpy as np
import pytest
from service import PATIENCE, answering, upload

from {{ cookiecutter.project_slug }}.inference.predictor import Predictor


@pytest.fixture(scope="module")
def number_client(number_model):
    """Ask a service of this process."""
    with answering(number_model) as client:
        yield client


@pytest.fixture(scope="module")
def number_inputs(number_folder):
    return np.load(number_folder / "data/processed/table/test_inputs.npy")[:20]


def test_rows_are_answered_with_values(number_client, number_model, number_inputs):
    predictor = Predictor(number_model)
    rows = [predictor.input_spec.decode(row) for row in number_inputs]
    answer = number_client.post("/predict", json={"rows": rows})
    assert answer.status_code == 200
    expected = [{"value": pytest.approx(v, rel=1e-4)} for v in predictor.predict(number_inputs)]
    assert answer.json() == {"predictions": expected}


def test_tensors_are_answered_with_values(number_client, number_model, number_inputs):
    predictor = Predictor(number_model)
    rows = [predictor.input_spec.decode(row) for row in number_inputs]
    path = "/v2/models/{{ cookiecutter.project_slug }}"
    described = number_client.get(path).json()
    assert described["outputs"] == [{"name": "value", "datatype": "FP32", "shape": [-1]}]
    for tensor in described["inputs"]:
        tensor |= {"shape": [len(rows)], "data": [row[tensor["name"]] for row in rows]}
    answer = number_client.post(f"{path}/infer", json={"inputs": described["inputs"]})
    (output,) = answer.json()["outputs"]
    assert output["data"] == pytest.approx(predictor.predict(number_inputs), rel=1e-4)


def test_an_uploaded_table_is_answered_with_values(number_client, number_folder):
    content = (number_folder / "diabetes.csv").read_bytes()
    answer = upload(number_client, b"\n".join(content.splitlines()[:4]))
    assert [list(row) for row in answer.json()["predictions"]] == [["value"]] * 3


def test_the_model_says_what_it_predicts(number_client):
    answer = number_client.get("/model").json()
    assert answer["classes"] == []
    assert answer["inputs"]["target"]["name"] == "progression"
    assert answer["metrics"]["rmse"] > 0


def test_the_document_says_that_an_answer_is_a_value(number_client):
    schemas = number_client.get("/openapi.json").json()["components"]["schemas"]
    [items] = [schemas["PredictResponse"]["properties"]["predictions"]["items"]]
    assert items["$ref"].endswith("/Value")
    assert schemas["Value"]["properties"]["value"]["type"] == "number"
    assert schemas["Value"]["required"] == ["value"]


def test_the_service_keeps_to_its_document(number_client):
    command = [sys.executable, "-m", "schemathesis.cli", "run", "--max-examples=25", "--seed=0"]
    url = f"{number_client.base_url}/openapi.json"
    done = subprocess.run(
        [*command, "--exclude-path-regex=/file|/infer", f"--request-timeout={PATIENCE}", url],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
