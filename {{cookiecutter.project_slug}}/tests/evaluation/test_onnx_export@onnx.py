import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.evaluation.onnx_export import export
from {{ cookiecutter.project_slug }}.inference.checkpoint import CheckpointModel, load_checkpoint
from {{ cookiecutter.project_slug }}.inference.onnx_model import OnnxModel
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor


@pytest.fixture
def settings(configure, options):
    """Configure an export of the trained checkpoint that writes into the test's own folder."""
    return lambda *overrides: configure(*options, *overrides, config="export")


@pytest.fixture
def change_outputs(monkeypatch):
    """Let exported models give other outputs than they do."""
    outputs = OnnxModel.outputs

    def changed(change):
        monkeypatch.setattr(OnnxModel, "outputs", lambda self, x: change(outputs(self, x)))

    return changed


def test_the_exported_model_answers_like_the_checkpoint(model, test_split):
    inputs = test_split[0]
    expected = Predictor(model.with_suffix(".ckpt")).predict(inputs)
    np.testing.assert_allclose(Predictor(model).predict(inputs), expected, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 2, 7, 64])
def test_any_batch_size_is_answered(model, test_split, batch):
    inputs = test_split[0]
    expected = Predictor(model).predict(inputs)[:batch]
    answer = Predictor(model).predict(inputs[:batch])
    np.testing.assert_allclose(answer, expected, atol=1e-6)


def test_the_file_alone_holds_what_serving_needs(model, trained, test_split, tmp_path):
    copy = tmp_path / "model.onnx"
    copy.write_bytes(model.read_bytes())
    predictor = Predictor(copy)
    checkpoint = CheckpointModel(trained / "models/model.ckpt")
    assert predictor.classes == checkpoint.classes
    assert predictor.input_spec == checkpoint.input_spec
    assert predictor.data == checkpoint.data
    inputs, labels = test_split
    accuracy = (predictor.predict(inputs).argmax(axis=1) == labels).mean()
    assert predictor.metrics["accuracy"] == pytest.approx(accuracy)
    properties = {entry.key: entry.value for entry in onnx.load(copy).metadata_props}
    assert json.loads(properties["preprocessing"]) == predictor.input_spec.preprocessing()


def test_the_graph_is_valid_and_keeps_its_names(model):
    graph = onnx.load(model)
    onnx.checker.check_model(graph, full_check=True)
    assert [node.name for node in graph.graph.input] == ["inputs"]
    assert [node.name for node in graph.graph.output] == ["logits"]
    assert not any(weight.external_data for weight in graph.graph.initializer)


def test_the_source_commit_travels_from_the_checkpoint_to_the_file(settings, trained):
    saved = load_checkpoint(trained / "models/model.ckpt")
    torch.save(saved | {"commit": "0123abc"}, "committed.ckpt")
    export(settings("checkpoint=committed.ckpt"))
    assert Predictor("models/model.onnx").commit == "0123abc"


def test_each_file_is_printed_with_its_results(settings, capsys):
    results = export(settings("quantize=true"))
    lines = capsys.readouterr().out.splitlines()
    assert list(results) == ["models/model.onnx", "models/model.int8.onnx"]
    for line, (path, result) in zip(lines, results.items(), strict=True):
        assert line.startswith(f"{path}: ")
        assert f"accuracy {result.metrics['accuracy']:.4f}" in line


def test_too_great_a_difference_is_refused_and_the_previous_file_stays(
    settings, model, tmp_path, change_outputs
):
    previous = tmp_path / "models/model.onnx"
    previous.parent.mkdir()
    previous.write_bytes(model.read_bytes())
    change_outputs(lambda logits: logits + 0.01)
    with pytest.raises(UserError, match=r"differ from the checkpoint's by up to 0\.01"):
        export(settings())
    assert previous.read_bytes() == model.read_bytes()
    assert list(previous.parent.iterdir()) == [previous]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_no_number_is_refused_whatever_the_limit(settings, change_outputs, value):
    def spoil(logits):
        logits[-1, -1] = value
        return logits

    change_outputs(spoil)
    with pytest.raises(UserError, match=r"^models/model\.onnx: NaN or infinity"):
        export(settings("max_output_difference=.inf"))
    assert list(Path("models").iterdir()) == []


def test_a_changed_class_is_refused_whatever_the_limit(settings, change_outputs):
    change_outputs(lambda logits: np.roll(logits, 1, axis=1))
    with pytest.raises(UserError, match="change their class"):
        export(settings("max_output_difference=1000"))


def test_int8_is_smaller_and_about_as_good(model):
    quantized = model.with_name("model.int8.onnx")
    assert quantized.stat().st_size < 0.7 * model.stat().st_size
    lost = Predictor(model).metrics["accuracy"] - Predictor(quantized).metrics["accuracy"]
    assert lost <= 0.01


def test_int8_that_loses_too_much_is_refused_and_the_float_model_stays(settings):
    with pytest.raises(UserError, match=r"model\.int8\.onnx was not written"):
        export(settings("quantize=true", "max_quality_loss=-1"))
    assert [path.name for path in Path("models").iterdir()] == ["model.onnx"]
