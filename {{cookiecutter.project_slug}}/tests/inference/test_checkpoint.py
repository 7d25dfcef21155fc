import zipfile
from pathlib import Path

import example
import pytest
import torch

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.checkpoint import CheckpointModel, load_checkpoint

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


def test_another_archive_is_no_checkpoint():
    with zipfile.ZipFile(PATH, "w") as archive:
        archive.writestr("letter.txt", "Dear reader")
    assert "a ZIP archive, but no checkpoint" in refusal()


def test_python_objects_are_not_loaded():
    torch.save(torch.nn.Linear(1, 1), PATH)
    assert "Python objects" in refusal()


@pytest.mark.parametrize("saved", [[1, 2, 3], {"weights": [1]}, {"state_dict": {}}])
def test_another_file_of_pytorch_is_no_checkpoint(saved):
    torch.save(saved, PATH)
    assert "no checkpoint that `train` wrote" in refusal()


@pytest.mark.parametrize("settings", [{"lr": 0.1}, {"classes": 3}, [], {"classes": ["a"]}])
def test_a_checkpoint_of_another_project_is_refused(settings):
    torch.save({"hyper_parameters": settings, "state_dict": {}}, PATH)
    assert "another project" in refusal()


def test_weights_of_another_network_are_refused(trained):
    saved = load_checkpoint(trained / "models/model.ckpt")
    saved["hyper_parameters"]["network"] |= example.OTHER_SHAPE
    torch.save(saved, PATH)
    assert "size mismatch for " in refusal()


def test_a_device_that_is_not_there_is_named(trained):
    with pytest.raises(UserError, match=r"^device 'abacus': "):
        CheckpointModel(trained / "models/model.ckpt", device="abacus")
