"""Training that starts from a model of the package transformers, and what its checkpoint needs."""

import contextlib
import shutil
{%- if cookiecutter.onnx_export %}
import subprocess
import sys
{%- endif %}
from pathlib import Path

import pytest
import torch
from sources import WORDS, save_model, texts
{% if cookiecutter.onnx_export %}
from {{ cookiecutter.project_slug }}.evaluation.onnx_export import export
{%- endif %}
from {{ cookiecutter.project_slug }}.inference.checkpoint import CheckpointModel, load_checkpoint
from {{ cookiecutter.project_slug }}.training.fit import train

transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def folder(configure, tmp_path_factory) -> Path:
    """A folder with a checkpoint, and without the model that its training started from."""
    folder = tmp_path_factory.mktemp("transformer")
    with contextlib.chdir(folder):
        torch.manual_seed(0)
        model = save_model("model", [*WORDS, "good", "bad", "day", "night"])
        torch.save(transformers.AutoModel.from_pretrained(model).state_dict(), "before.pt")
        options = ["experiment=pretrained", f"model.network.pretrained={model}", "data.length=32"]
        options += ["model.optimizer.lr=0.003", "trainer.max_epochs=8", "model.freeze=[embeddings]"]
        train(configure("data=texts", *texts(200), *options))
        shutil.rmtree(model)
    return folder


def test_the_checkpoint_needs_no_other_file(folder):
    model = CheckpointModel(folder / "models/model.ckpt")
    assert model.metrics["accuracy"] > 0.9
    inputs = model.input_spec.encode(["a good day with sun", "a bad night with rain"])
    assert [model.classes[best] for best in model.outputs(inputs).argmax(axis=1)] == ["good", "bad"]


def test_frozen_weights_are_those_of_before_and_others_are_not(folder):
    before = torch.load(folder / "before.pt", weights_only=True)
    after = load_checkpoint(folder / "models/model.ckpt")["state_dict"]
    same = {
        name: torch.equal(weight, after[f"network.layers.model.bert.{name}"])
        for name, weight in before.items()
    }
    assert all(same[name] for name in same if name.startswith("embeddings."))
    assert not any(same[name] for name in same if name.startswith("encoder."))
{%- if cookiecutter.onnx_export %}


def test_the_exported_file_needs_no_other_file_and_no_pytorch(configure, folder):
    settings = configure("quantize=true", config="export")
    settings.data = None  # that of the checkpoint
    with contextlib.chdir(folder):
        results = export(settings)
    assert results["models/model.onnx"].difference < 1e-5
    assert results["models/model.int8.onnx"].metrics["accuracy"] > 0.9
    code = f"""\
import sys
sys.path[:0] = {sys.path!r}
sys.modules |= dict.fromkeys(["datasets", "torch", "transformers"])  # as if they were missing
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor
model = Predictor("models/model.onnx")
print(model.classes[model.predict(model.input_spec.encode(["a good day"])).argmax()])"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == "good\n"
{%- endif %}
