import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import example
import onnx
import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor


def test_a_model_of_another_program_is_refused(model):
    graph = onnx.load(model)
    del graph.metadata_props[:]
    onnx.save(graph, "foreign.onnx")
    with pytest.raises(UserError, match=r"^foreign\.onnx is an ONNX model, but `export` did not"):
        Predictor("foreign.onnx")


def test_a_newer_format_is_refused_with_the_reason_of_the_runtime(model):
    graph = onnx.load(model)
    graph.ir_version = 99
    onnx.save(graph, "newer.onnx")
    with pytest.raises(UserError, match=r"^newer\.onnx can't be loaded: .*99") as refused:
        Predictor("newer.onnx")
    assert len(str(refused.value).splitlines()) == 1


def test_a_checkpoint_of_another_name_is_told_which_name_it_needs(trained):
    shutil.copyfile(trained / "models/model.ckpt", "model.pt")
    with pytest.raises(UserError, match=r"^model\.pt is no ONNX model; .* end with \.ckpt$"):
        Predictor("model.pt")


def test_a_device_that_is_not_there_is_named(model):
    with pytest.raises(UserError, match="abacus"):
        Predictor(model, device="abacus")


def test_prediction_imports_no_torch(model, trained):
    script = """
import sys
from {{ cookiecutter.project_slug }}.cli import main
sys.argv = ["predict", *sys.argv[1:]]
try:
    main()
finally:
    print("IMPORTED", *sys.modules)
"""
    name, sample = list(example.SAMPLES.items())[-1]
    arguments = ["predict", f"--model={model}", *example.FILE, str(trained / sample)]
    source = Path(sys.modules[UserError.__module__].__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    label, imported = done.stdout.split("IMPORTED")
    assert label.splitlines()[0].split("\t")[1] == name
    assert not set(imported.split()) & {"torch", "pytorch_lightning", "hydra", "sklearn", "onnx"}


@pytest.fixture(params=["model.onnx", "model.int8.onnx"])
def exported(request, model, tmp_path):
    """Copy an exported model into the test's folder, with the checkpoint beside it."""
    for name in (request.param, "model.ckpt"):
        shutil.copyfile(model.with_name(name), tmp_path / name)
    return tmp_path / request.param


def test_a_model_of_the_checkpoint_beside_it_is_used_in_silence(exported, caplog):
    Predictor(exported)
    Path("model.ckpt").unlink()
    Predictor(exported)
    Path("model.ckpt").mkdir()
    Predictor(exported)
    assert caplog.messages == []


def test_a_model_of_another_checkpoint_is_named_whatever_the_time(exported, caplog):
    Path("model.ckpt").write_bytes(b"another training")
    os.utime("model.ckpt", (0, 0))
    Predictor(exported)
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert f"{exported} was exported from another checkpoint than" in record.message
    assert "model.ckpt: run `export` again" in record.message


@pytest.mark.parametrize("value", [None, "", "null", "[", '"0123"', json.dumps("x" * 64)])
def test_an_unknown_checkpoint_is_not_called_another_one(model, caplog, value):
    graph = onnx.load(model)
    [found] = (entry for entry in graph.metadata_props if entry.key == "checkpoint")
    if value is None:  # as in files of before
        graph.metadata_props.remove(found)
    else:
        found.value = value
    onnx.save(graph, "model.onnx")
    Path("model.ckpt").write_bytes(b"another training")
    assert Predictor("model.onnx").classes == example.CLASSES
    assert caplog.messages == []
