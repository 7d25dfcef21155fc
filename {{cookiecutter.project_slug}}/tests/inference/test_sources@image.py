import shutil
from pathlib import Path

import example
import pytest
from PIL import Image

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.picture_files import (
    BATCH,
    find_pictures,
    predict_files,
)
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor


@pytest.fixture
def predictor(model):
    return Predictor(model)


@pytest.fixture
def sample(trained):
    return trained / example.SAMPLE


@pytest.mark.parametrize("scale", [1, 8])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_pictures_of_any_size_and_mode_are_recognised(predictor, trained, mode, scale):
    copies = []
    for name, sample in example.SAMPLES.items():
        picture = Image.open(trained / sample)
        size = picture.width * scale, picture.height * scale
        copies.append(Path(f"{name}.png"))
        picture.resize(size, Image.Resampling.BICUBIC).convert(mode).save(copies[-1])
    answers = list(predict_files(predictor, copies))
    assert [answer.path for answer in answers] == copies
    best = [answer.predictions[0] for answer in answers]
    assert all(0.1 <= one.probability <= 1 for one in best)
    right = sum(one.label == path.stem for one, path in zip(best, copies, strict=True))
    assert right >= 0.8 * len(copies)


def test_a_broken_picture_is_named_and_the_others_are_predicted(predictor, sample):
    Path("broken.png").write_bytes(b"not a picture")
    paths = [sample, Path("broken.png"), Path("missing.png"), sample]
    first, broken, missing, last = predict_files(predictor, paths, 2)
    assert len(first.predictions) == 2
    assert first == last
    for answer, path in ((broken, "broken.png"), (missing, "missing.png")):
        assert answer.predictions == ()
        assert answer.problem.startswith(f"{path}: ")


def test_a_header_that_ends_too_early_is_no_traceback(predictor, sample):
    content = bytearray(sample.read_bytes())
    content[8:12] = (4).to_bytes(4)  # the length of the first chunk, which holds the size
    Path("short.png").write_bytes(content)
    [answer] = predict_files(predictor, [Path("short.png")])
    assert answer.problem.startswith("short.png: not a readable picture")


def test_pictures_are_in_memory_a_batch_at_a_time(predictor, sample, monkeypatch):
    sizes = []
    logits = predictor.model.logits
    monkeypatch.setattr(
        predictor.model, "logits", lambda images: sizes.append(len(images)) or logits(images)
    )
    count = 2 * BATCH + 1
    assert len(list(predict_files(predictor, [sample] * count))) == count
    assert sizes == [BATCH, BATCH, 1]


def test_a_folder_stands_for_all_pictures_in_it_sorted(sample):
    shown = ["a/1.png", "a/b/2.PNG", "c.jpg"]
    hidden = [".hidden.png", "a/.cache/3.png", "notes.txt", "__MACOSX/1.png"]
    for name in [*shown, *hidden]:
        path = Path("pictures", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sample, path)
    Path("pictures/folder.png").mkdir()
    found = find_pictures([Path("pictures"), sample])
    assert found == [*(Path("pictures", name) for name in shown), sample]


def test_a_hidden_folder_may_be_named(sample):
    Path(".hidden").mkdir()
    shutil.copyfile(sample, ".hidden/1.png")
    assert find_pictures([Path(".hidden")]) == [Path(".hidden/1.png")]


def test_a_folder_without_pictures_is_an_error_of_one_line():
    Path("texts").mkdir()
    Path("texts/notes.txt").touch()
    with pytest.raises(UserError, match=r"^texts holds no pictures \(\.bmp, .*\.webp\)$"):
        find_pictures([Path("texts")])
