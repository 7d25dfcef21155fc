import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.evaluation.onnx_export import export
from {{ cookiecutter.project_slug }}.evaluation.speed import benchmark
from {{ cookiecutter.project_slug }}.inference import onnx_model
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor


@pytest.fixture
def settings(configure, trained):
    """Configure an export of the trained checkpoint that writes into the test's own folder."""

    def configured(*overrides):
        return configure(
            f"checkpoint={trained / 'models/model.ckpt'}",
            f"data.folder={trained / 'data/processed/digits'}",
            *overrides,
            config="export",
        )

    return configured


@pytest.fixture
def digits(trained):
    folder = trained / "data/processed/digits"
    return np.load(folder / "test_images.npy"), np.load(folder / "test_labels.npy")


def test_the_exported_model_answers_like_the_checkpoint(model, digits):
    expected = Predictor(model.with_suffix(".ckpt")).probabilities(digits[0])
    np.testing.assert_allclose(Predictor(model).probabilities(digits[0]), expected, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 2, 7, 64])
def test_any_batch_size_is_answered(model, digits, batch):
    images = digits[0][:batch]
    expected = Predictor(model).probabilities(digits[0])[:batch]
    np.testing.assert_allclose(Predictor(model).probabilities(images), expected, atol=1e-6)


def test_the_file_alone_says_what_serving_needs(model, digits, tmp_path):
    copy = tmp_path / "model.onnx"
    copy.write_bytes(model.read_bytes())
    predictor = Predictor(copy)
    assert predictor.classes == list("0123456789")
    assert predictor.image_shape == [1, 8, 8]
    accuracy = (predictor.probabilities(digits[0]).argmax(axis=1) == digits[1]).mean()
    assert predictor.metrics["accuracy"] == pytest.approx(accuracy)
    properties = {entry.key: entry.value for entry in onnx.load(copy).metadata_props}
    assert json.loads(properties["preprocessing"])["resize"].startswith("bilinear")


def test_the_graph_is_valid_and_keeps_its_names(model):
    graph = onnx.load(model)
    onnx.checker.check_model(graph, full_check=True)
    assert [node.name for node in graph.graph.input] == ["images"]
    assert [node.name for node in graph.graph.output] == ["logits"]
    assert not any(weight.external_data for weight in graph.graph.initializer)


def test_the_source_commit_travels_from_training_to_the_file(
    settings, trained, tmp_path, monkeypatch, configure
):
    from {{ cookiecutter.project_slug }}.training.fit import train
    from {{ cookiecutter.project_slug }}.training.source import source_commit

    monkeypatch.setenv("SOURCE_COMMIT", "0123abc")
    train(configure("logger=csv", "trainer.max_epochs=3"))
    export(settings("checkpoint=models/model.ckpt"))
    assert Predictor("models/model.onnx").commit == "0123abc"

    monkeypatch.delenv("SOURCE_COMMIT")
    assert source_commit() is None
    for arguments in (["init"], ["commit", "--allow-empty", "--message=first"]):
        identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.c"}
        identity |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.c"}
        command = ["git", *arguments, "--quiet"]
        subprocess.run(command, check=True, env=os.environ | identity)
    assert len(source_commit()) == 40


def test_what_differs_too_much_is_refused_and_the_previous_file_stays(
    settings, model, tmp_path, monkeypatch
):
    previous = tmp_path / "models/model.onnx"
    previous.parent.mkdir()
    previous.write_bytes(model.read_bytes())
    logits = onnx_model.OnnxModel.logits
    monkeypatch.setattr(onnx_model.OnnxModel, "logits", lambda self, x: logits(self, x) + 0.01)
    with pytest.raises(UserError, match=r"by up to 0\.01"):
        export(settings())
    assert previous.read_bytes() == model.read_bytes()
    assert list(previous.parent.iterdir()) == [previous]


def test_a_changed_class_is_refused_whatever_the_tolerance(settings, monkeypatch):
    logits = onnx_model.OnnxModel.logits
    monkeypatch.setattr(
        onnx_model.OnnxModel, "logits", lambda self, x: np.roll(logits(self, x), 1, axis=1)
    )
    with pytest.raises(UserError, match="change their class"):
        export(settings("max_logit_difference=1000"))


def test_int8_is_smaller_and_about_as_good(settings, model):
    quantized = model.with_name("model.int8.onnx")
    assert quantized.stat().st_size < 0.6 * model.stat().st_size
    lost = Predictor(model).metrics["accuracy"] - Predictor(quantized).metrics["accuracy"]
    assert lost <= 0.01


def test_int8_that_loses_too_much_is_refused_and_the_float_model_stays(settings):
    with pytest.raises(UserError, match=r"model\.int8\.onnx was not written"):
        export(settings("quantize=true", "max_accuracy_loss=-1"))
    assert [path.name for path in Path("models").iterdir()] == ["model.onnx"]


@pytest.mark.parametrize("content", [None, b"", b"text", "foreign"])
def test_what_is_no_exported_model_is_named_in_one_line(tmp_path, model, content):
    path = tmp_path / "some.onnx"
    if content == "foreign":
        graph = onnx.load(model)
        del graph.metadata_props[:]
        onnx.save(graph, path)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"some\.onnx") as error:
        Predictor(path)
    assert len(str(error.value).splitlines()) == 1


def test_a_device_that_is_not_there_is_named(model):
    with pytest.raises(UserError, match="abacus"):
        Predictor(model, device="abacus")


def test_prediction_imports_no_torch(model, trained):
    script = """
import sys
from pathlib import Path
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor
print(Predictor(sys.argv[1]).predict_files([Path(sys.argv[2])])[0].label)
print("IMPORTED", *sys.modules)
"""
    sample = trained / "data/processed/digits/samples/7.png"
    source = Path(sys.modules[UserError.__module__].__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", script, str(model), str(sample)],
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    label, imported = done.stdout.split("IMPORTED")
    assert label.strip() == "7"
    assert not set(imported.split()) & {"torch", "pytorch_lightning", "hydra", "sklearn", "onnx"}


def test_the_benchmark_has_a_line_for_each_runtime_and_batch(settings, model):
    cfg = settings("benchmark.seconds=0.05", f"onnx={model}", "int8=nowhere.onnx")
    lines, missing = benchmark(cfg)
    assert [reason for reason in missing if "nowhere.onnx" in reason]
    for name in ("PyTorch, eager", "ONNX Runtime"):
        assert [line.batch for line in lines if line.runtime == name] == [1, 64]
    assert all(0 < line.p50 <= line.p99 for line in lines)
    assert {round(line.accuracy, 4) for line in lines} == {
        round(Predictor(model).metrics["accuracy"], 4)
    }
