"""Exported models of a number: they answer in its unit, and only as well as the checkpoint."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from sources import diabetes

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.evaluation.onnx_export import export
from {{ cookiecutter.project_slug }}.evaluation.speed import benchmark
from {{ cookiecutter.project_slug }}.inference.onnx_model import OnnxModel
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor


@pytest.fixture
def settings(configure, number_folder):
    """Configure an export that writes into the test's own folder."""
    checkpoint = f"checkpoint={number_folder / 'models/model.ckpt'}"
    folder = f"data.folder={number_folder / 'data/processed/table'}"
    options = [*diabetes(), checkpoint, folder]
    return lambda *overrides: configure(*options, *overrides, config="export")


def test_the_file_answers_in_the_unit_of_the_table(number_model, number_folder):
    folder = number_folder / "data/processed/table"
    inputs, true = (np.load(folder / f"test_{kind}.npy") for kind in ("inputs", "labels"))
    [output] = onnxruntime.InferenceSession(number_model).run(["value"], {"inputs": inputs})
    assert output.shape == (len(true), 1)
    expected = Predictor(number_model.with_suffix(".ckpt")).predict(inputs)
    np.testing.assert_allclose(output[:, 0], expected, rtol=1e-4)
    assert abs(output.mean() - true.mean()) < true.std() / 4


def test_the_file_says_what_it_predicts(number_model):
    properties = {entry.key: entry.value for entry in onnx.load(number_model).metadata_props}
    assert json.loads(properties["classes"]) == []
    assert json.loads(properties["input_spec"])["target"]["name"] == "progression"
    assert json.loads(properties["metrics"]).keys() == {"loss", "rmse", "mae", "r2"}


def test_int8_is_about_as_good(number_model):
    quantized = Predictor(number_model.with_name("model.int8.onnx"))
    assert Predictor(number_model).metrics["r2"] - quantized.metrics["r2"] <= 0.01


def test_int8_that_explains_less_is_refused(settings):
    with pytest.raises(UserError, match=r"int8\.onnx was not written: it would lose .* of r2"):
        export(settings("quantize=true", "max_quality_loss=-1"))


def test_a_difference_counts_in_deviations_of_the_target(settings, monkeypatch):
    outputs = OnnxModel.outputs
    change = [0.004]  # 0.00005 deviations, which are 77
    monkeypatch.setattr(OnnxModel, "outputs", lambda self, x: outputs(self, x) + change[0])
    export(settings())
    change[0] = 0.016
    with pytest.raises(UserError, match=r"its outputs differ from the checkpoint's by up to 0\.00"):
        export(settings())


def test_the_benchmark_shows_the_quality_of_numbers(settings, number_model, capsys):
    options = ["benchmark.seconds=0.02", f"onnx={number_model}", "int8=nowhere.onnx"]
    lines, _ = benchmark(settings(*options))
    assert "r2" in capsys.readouterr().out
    expected = Predictor(number_model).metrics["r2"]
    assert [line.quality for line in lines] == pytest.approx([expected] * len(lines), abs=1e-4)
