from pathlib import Path

import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor


@pytest.fixture
def path(model):
    """Name a file that the test writes, of the kind that predictions are made with."""
    return Path(f"some{model.suffix}")


def test_a_missing_file_is_named_with_the_command_that_writes_it(path):
    with pytest.raises(UserError, match=f"^{path}: there is no such file; `(train|export)`"):
        Predictor(path)


def test_a_folder_is_no_file(path):
    path.mkdir()
    with pytest.raises(UserError, match=f"^{path} can't be read: it is a folder$"):
        Predictor(path)


def test_a_file_without_permission_is_not_called_missing(path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")  # root, who runs tests too, has every one

    path.write_bytes(b"secret")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UserError, match=f"^{path} can't be read: Permission denied$"):
        Predictor(path)


def test_an_empty_file_is_called_empty(path):
    path.touch()
    with pytest.raises(UserError, match=f"^{path} is empty"):
        Predictor(path)


@pytest.mark.parametrize("end", [0.05, 0.5, 0.99])
def test_an_incomplete_file_is_called_damaged(path, model, end):
    content = model.read_bytes()
    path.write_bytes(content[: int(len(content) * end)])
    with pytest.raises(UserError, match=f"^{path} is damaged or incomplete"):
        Predictor(path)


@pytest.mark.parametrize("content", [b"text", b"\x89PNG\r\n\x1a\n", bytes(range(256))])
def test_a_file_of_another_kind_is_not_called_damaged(path, content):
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"^{path} is no "):
        Predictor(path)
