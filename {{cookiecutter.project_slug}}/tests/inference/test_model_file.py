import random
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


@pytest.mark.parametrize("content", [b"text", b"\x89\r\n\x1a\n", bytes(range(256))])
def test_a_file_of_another_kind_is_not_called_damaged(path, content):
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"^{path} is no "):
        Predictor(path)


def changed(content: bytes, generator: random.Random) -> bytes:
    """Flip bits of a file, cut it off, or copy, delete or insert bytes, most near its ends."""
    made = bytearray(content)
    place = generator.randrange(len(made))
    if generator.random() < 0.5:
        place = generator.choice([place % 4000, -1 - place % 4000]) % len(made)
    length = generator.choice([1, 4, 50])
    match generator.choice(["flip", "cut", "copy", "delete", "insert"]):
        case "flip":
            for _ in range(length):
                made[generator.randrange(place, len(made))] ^= 1 << generator.randrange(8)
        case "cut":
            del made[place:]
        case "copy":
            start = generator.randrange(len(made))
            made[place : place + length] = made[start : start + length]
        case "delete":
            del made[place : place + length]
        case "insert":
            made[place:place] = generator.randbytes(length)
    return bytes(made)


def test_a_changed_file_gives_predictions_or_one_line(model, trained):
    generator = random.Random(0)  # noqa: S311
    for whole in sorted({model, trained / "models/model.ckpt"}):
        content, path = whole.read_bytes(), Path(f"some{whole.suffix}")
        refused = 0
        for _ in range(150):
            path.write_bytes(changed(content, generator))
            try:
                predictor = Predictor(path)
                predictor.best(predictor.input_spec.zeros(1))
            except UserError as error:
                assert len(str(error).splitlines()) == 1  # noqa: PT017
                refused += 1
        assert refused > 50
