import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import example
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.model import FORMAT
from {{ cookiecutter.project_slug }}.inference.onnx_model import OnnxModel
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor

PATH = "some.onnx"
FOREIGN = "is an ONNX model, but `export` did not write it"


@pytest.fixture
def refusal(capfd):
    """Load the test's file, which is refused in one line that names it, with no other output."""

    def refused() -> str:
        with pytest.raises(UserError, match=r"^some\.onnx ") as raised:
            OnnxModel(PATH)
        assert len(str(raised.value).splitlines()) == 1
        assert capfd.readouterr() == ("", "")
        return str(raised.value)

    return refused


def save(graph, **properties):
    """Write a model to the test's file, with other metadata; None takes an entry away."""
    known = {entry.key: entry.value for entry in graph.metadata_props} | properties
    del graph.metadata_props[:]
    helper.set_model_props(graph, {key: known[key] for key in known if known[key] is not None})
    onnx.save(graph, PATH)


def test_a_model_of_another_program_is_refused(model, refusal):
    graph = onnx.load(model)
    del graph.metadata_props[:]
    save(graph)
    assert FOREIGN in refusal()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("classes", None),
        ("classes", "["),
        ("classes", "[" * 100_000),
        ("classes", "3"),
        ("classes", '"abc"'),
        ("classes", "[]"),
        ("classes", "[1, 2]"),
        ("input_spec", None),
        ("input_spec", "[]"),
        ("input_spec", '{"another": "task"}'),
        ("metrics", '{"accuracy": "high"}'),
        ("metrics", "[1]"),
        ("commit", "3"),
        ("data", "3"),
        ("format", '"1"'),
    ],
)
def test_metadata_of_another_type_is_refused(model, refusal, name, value):
    save(onnx.load(model), **{name: value})
    assert FOREIGN in refusal()


def test_a_file_of_a_newer_version_is_refused(model, refusal):
    graph = onnx.load(model)
    save(graph, format=str(FORMAT), input_spec=None)
    assert FOREIGN in refusal()
    save(graph, format=str(FORMAT + 1))  # whatever else it holds
    assert "was written by a newer version" in refusal()


def test_a_file_of_before_there_was_a_format_can_be_read(model):
    graph = onnx.load(model)
    assert str(FORMAT) in {one.value for one in graph.metadata_props if one.key == "format"}
    save(graph, format=None)
    assert OnnxModel(PATH).classes == example.CLASSES


def test_classes_that_contradict_the_graph_are_refused(model, refusal):
    save(onnx.load(model), classes=json.dumps(example.CLASSES[:-1]))
    count = len(example.CLASSES)
    assert f"returns float32 (2, {count})" in refusal()


def graph_of(nodes, model, *, name="inputs", kind=None, sides=None, output=TensorProto.FLOAT):
    """Make a graph with an input and nodes of its own, and the metadata of a model that works."""
    kind = kind or helper.np_dtype_to_tensor_dtype(np.dtype(example.SPEC.dtype))
    sides = sides or [f"side_{axis}" for axis in range(1 + len(example.SPEC.shape))]
    given = helper.make_tensor_value_info(name, kind, sides)
    made = helper.make_tensor_value_info(OnnxModel(model).target.output, output, None)
    graph = helper.make_graph(nodes, "graph", [given], [made])
    foreign = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])
    foreign.metadata_props.extend(onnx.load(model).metadata_props)
    return foreign


def cast(name, target, to=TensorProto.FLOAT):
    return helper.make_node("Cast", [name], [target], to=to)


def constant(name, values):
    value = helper.make_tensor(name, TensorProto.INT64, [len(values)], values)
    return helper.make_node("Constant", [], [name], value=value)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"name": "samples"}, "samples"),
        ({"kind": TensorProto.DOUBLE}, "data type"),
        ({"sides": ["batch", *(side + 1 for side in example.SPEC.shape)]}, "invalid dimensions"),
        ({"sides": [1, *example.SPEC.shape]}, "invalid dimensions"),
    ],
)
def test_inputs_that_contradict_the_graph_are_refused(model, refusal, options, reason):
    output = OnnxModel(model).target.output
    save(graph_of([cast(options.get("name", "inputs"), output)], model, **options))
    assert reason in refusal()


def test_a_graph_that_fails_at_run_time_only_is_refused(model, refusal):
    nodes = [
        cast("inputs", "numbers"),
        constant("shape", [7, 11]),
        helper.make_node("Reshape", ["numbers", "shape"], [OnnxModel(model).target.output]),
    ]
    save(graph_of(nodes, model))
    assert "can't answer: " in refusal()


def test_outputs_of_another_type_are_refused(model, refusal):
    output = OnnxModel(model).target.output
    nodes = [
        constant("shape", [2, len(example.CLASSES)]),
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        cast("zeros", output, TensorProto.DOUBLE),
    ]
    save(graph_of(nodes, model, output=TensorProto.DOUBLE))
    assert "returns float64" in refusal()


def test_names_that_are_no_text_are_refused(model, refusal):
    content = model.read_bytes()
    Path(PATH).write_bytes(content.replace(b"preprocessing", b"preproces\xe1ing"))
    refusal()
    graph = onnx.load(model)
    graph.graph.node[0].op_type = "Unknown"
    Path(PATH).write_bytes(graph.SerializeToString().replace(b"Unknown", b"\xe1nknown"))
    refusal()  # the runtime's own error holds that name


def test_inputs_that_the_graph_can_not_take_are_one_line(model):
    inputs = np.zeros((1, 2, 3, 4, 5), example.SPEC.dtype)
    with pytest.raises(UserError, match="can't answer: ") as raised:
        OnnxModel(model).outputs(inputs)
    assert len(str(raised.value).splitlines()) == 1


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
