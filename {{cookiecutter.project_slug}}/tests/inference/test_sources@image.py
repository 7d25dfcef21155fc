import os
import shutil
import subprocess
import sys
from pathlib import Path

import example
import pytest
import torch
from PIL import Image

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.inputs import FITS, read_image
from {{ cookiecutter.project_slug }}.inference.checkpoint import load_checkpoint
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor
from {{ cookiecutter.project_slug }}.inference.sources import BATCH, find_pictures, predict_files


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
    assert [Path(answer.name) for answer in answers] == copies
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
    logits = predictor.model.outputs
    monkeypatch.setattr(
        predictor.model, "outputs", lambda images: sizes.append(len(images)) or logits(images)
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


def fitted(trained, fit: str) -> Path:
    """Copy the trained checkpoint, with another `fit` in it."""
    saved = load_checkpoint(trained / "models/model.ckpt")
    saved["hyper_parameters"]["input_spec"]["fit"] = fit
    torch.save(saved, "fitted.ckpt")
    return Path("fitted.ckpt")


def test_a_picture_of_another_shape_is_fitted_as_in_training(trained):
    picture = Image.open(trained / example.SAMPLE)
    wide = Image.new(picture.mode, (picture.width * 3, picture.height))
    wide.paste(picture, (picture.width, 0))
    wide.save("wide.png")
    answers = {}
    for fit in FITS:
        predictor = Predictor(fitted(trained, fit))
        [answer] = predict_files(predictor, [Path("wide.png")])
        answers[fit] = answer.predictions[0]
        pixels = read_image(Path("wide.png"), predictor.input_spec)
        assert answers[fit] == predictor.best(pixels[None])[0]
    assert len(set(answers.values())) == len(FITS)
    assert answers["crop"].label == example.LABEL


def test_a_fit_of_a_later_version_is_named(trained):
    with pytest.raises(UserError, match="fit is 'squeeze'"):
        Predictor(fitted(trained, "squeeze"))


def test_a_broken_picture_is_named(cli, model):
    Path("broken.png").write_bytes(b"not a picture")
    code, output, error = cli("predict", f"--model={model}", "broken.png")
    assert (code, output, len(error.splitlines())) == (2, "", 1)
    assert "broken.png" in error


def test_the_pictures_of_a_folder_are_predicted_around_a_broken_one(cli, model, sample):
    Path("pictures").mkdir()
    for name in ("a.png", "c.png"):
        shutil.copyfile(sample, f"pictures/{name}")
    Path("pictures/b.png").write_bytes(b"not a picture")
    code, output, error = cli("predict", "--top=3", f"--model={model}", "pictures")
    assert (code, len(error.splitlines()), "b.png" in error) == (2, 1, True)
    first, second = (line.split("\t") for line in output.splitlines())
    assert [Path(first[0]).name, Path(second[0]).name] == ["a.png", "c.png"]
    assert first[1:] == second[1:]
    assert first[2::2] == sorted(first[2::2], reverse=True)
    assert len(set(first[1::2])) == min(3, len(example.CLASSES))


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_name_that_the_terminal_cannot_encode_is_escaped(model, sample, encoding):
    folder = Path("\u732b")
    folder.mkdir()
    shutil.copyfile(sample, folder / "1.png")
    package = Path(sys.modules[UserError.__module__].__file__).parent
    done = subprocess.run(
        [sys.executable, "-m", package.name, "predict", f"--model={model}", folder, "missing"],
        env=os.environ | {"PYTHONPATH": str(package.parent), "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr.splitlines()) == (2, [b"Error: missing: no such file"])
    assert done.stdout.startswith(b"\\u732b")
