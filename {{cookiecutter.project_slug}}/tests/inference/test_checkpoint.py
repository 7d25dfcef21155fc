import zipfile
from pathlib import Path

import example
import pytest
import torch

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.checkpoint import CheckpointModel, load_checkpoint
from {{ cookiecutter.project_slug }}.inference.model import FORMAT

PATH = "some.ckpt"


def refusal() -> str:
    """Load the test's file, which is refused in one line that names it."""
    with pytest.raises(UserError, match=r"^some\.ckpt ") as refused:
        CheckpointModel(PATH)
    text = str(refused.value)
    assert len(text.splitlines()) == 1
    return text


def test_a_changed_byte_of_a_weight_is_noticed(trained):
    content = bytearray((trained / "models/model.ckpt").read_bytes())
    saved = load_checkpoint(trained / "models/model.ckpt")
    weight = next(one for one in saved["state_dict"].values() if one.ndim == 2)
    weight = weight.numpy().tobytes()
    content[content.index(weight) + len(weight) // 2] ^= 1
    Path(PATH).write_bytes(content)
    assert "is damaged in" in refusal()


def test_a_damaged_name_stays_on_its_line():
    with zipfile.ZipFile(PATH, "w") as archive:
        archive.writestr("model\r/data\x1d/0", "weights")
    Path(PATH).write_bytes(Path(PATH).read_bytes().replace(b"weights", b"weight5"))
    assert "is damaged in" in refusal()


def test_another_archive_is_no_checkpoint():
    with zipfile.ZipFile(PATH, "w") as archive:
        archive.writestr("letter.txt", "Dear reader")
    assert "a ZIP archive, but no checkpoint" in refusal()


def test_python_objects_are_not_loaded():
    torch.save(torch.nn.Linear(1, 1), PATH)
    assert "Python objects" in refusal()


@pytest.mark.parametrize(
    "saved",
    [
        [1, 2, 3],
        {"weights": [1]},
        {"state_dict": {}},
        {"hyper_parameters": [], "state_dict": {}},
        {"hyper_parameters": {}, "state_dict": None},
    ],
)
def test_another_file_of_pytorch_is_no_checkpoint(saved):
    torch.save(saved, PATH)
    assert "no checkpoint that `train` wrote" in refusal()


@pytest.mark.parametrize("settings", [{"lr": 0.1}, {"classes": 3}, {"classes": ["a"]}])
def test_a_checkpoint_of_another_project_is_refused(settings):
    torch.save({"hyper_parameters": settings, "state_dict": {}}, PATH)
    assert "another project" in refusal()


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("hyper_parameters", "classes", "abc"),
        ("hyper_parameters", "classes", [1, 2]),
        ("hyper_parameters", "classes", []),
        ("hyper_parameters", "input_spec", {"another": "task"}),
        ("hyper_parameters", "input_spec", None),
        ("hyper_parameters", "data", 3),
        (None, "metrics", [1]),
        (None, "metrics", {"accuracy": "high"}),
        (None, "commit", 3),
        (None, "format", "1"),
    ],
)
def test_a_description_of_another_type_is_refused(trained, part, name, value):
    saved = load_checkpoint(trained / "models/model.ckpt")
    (saved[part] if part else saved)[name] = value
    torch.save(saved, PATH)
    assert "another project" in refusal()


def test_a_checkpoint_without_a_network_is_refused(trained):
    saved = load_checkpoint(trained / "models/model.ckpt")
    del saved["hyper_parameters"]["network"]
    torch.save(saved, PATH)
    assert "another project" in refusal()


@pytest.mark.parametrize("more", [0, 1])
def test_only_a_newer_format_is_refused(trained, more):
    saved = load_checkpoint(trained / "models/model.ckpt")
    assert saved["format"] == FORMAT
    saved["format"] += more
    torch.save(saved, PATH)
    if more:
        assert "was written by a newer version" in refusal()
    else:
        CheckpointModel(PATH)


def test_a_file_of_before_there_was_a_format_can_be_read(trained):
    saved = load_checkpoint(trained / "models/model.ckpt")
    del saved["format"]
    torch.save(saved, PATH)
    assert CheckpointModel(PATH).classes == example.CLASSES


@pytest.mark.parametrize("change", ["a class less", "no tensor", "no settings"])
def test_weights_that_contradict_the_description_are_refused(trained, change):
    saved = load_checkpoint(trained / "models/model.ckpt")
    if change == "a class less":
        saved["hyper_parameters"]["classes"].pop()
    elif change == "no settings":
        saved["hyper_parameters"]["network"] = 3
    else:
        saved["state_dict"][next(iter(saved["state_dict"]))] = "weight"
    torch.save(saved, PATH)
    assert "weights of another network" in refusal()


def test_a_network_that_fails_is_refused_when_it_is_loaded(trained, monkeypatch):
    def fail(self, inputs):
        raise RuntimeError("broken\nin two")

    monkeypatch.setattr(CheckpointModel, "outputs", fail)
    Path(PATH).write_bytes((trained / "models/model.ckpt").read_bytes())
    assert refusal() == f"{PATH} can't answer: broken in two"


def test_an_archive_that_can_not_be_unpacked_is_damaged(trained):
    content = bytearray((trained / "models/model.ckpt").read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 10] = 99  # a method of compression that Python does not know
    Path(PATH).write_bytes(content)
    assert "is damaged or incomplete" in refusal()


@pytest.mark.parametrize("error", [EOFError, KeyError, ValueError])
def test_any_error_of_reading_is_one_line(trained, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(torch, "load", fail)
    Path(PATH).write_bytes((trained / "models/model.ckpt").read_bytes())
    assert "no checkpoint" in refusal()


def test_weights_of_another_network_are_refused(trained):
    saved = load_checkpoint(trained / "models/model.ckpt")
    saved["hyper_parameters"]["network"] |= example.OTHER_SHAPE
    torch.save(saved, PATH)
    assert "size mismatch for " in refusal()


def test_a_device_that_is_not_there_is_named(trained):
    with pytest.raises(UserError, match=r"^device 'abacus': "):
        CheckpointModel(trained / "models/model.ckpt", device="abacus")
