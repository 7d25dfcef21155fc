from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor
from {{ cookiecutter.project_slug }}.training.classifier import Classifier


@pytest.fixture
def predictor(model):
    return Predictor(model)


@pytest.fixture
def images(trained):
    return np.load(trained / "data/processed/digits/test_images.npy")[:20]


def test_probabilities_sum_to_one(predictor, images):
    probabilities = predictor.probabilities(images)
    assert probabilities.shape == (20, 10)
    assert probabilities.min() >= 0
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_a_batch_is_answered_like_its_images_one_by_one(predictor, images):
    alone = [predictor.probabilities(images[i : i + 1])[0] for i in range(len(images))]
    np.testing.assert_allclose(predictor.probabilities(images), alone, rtol=1e-4, atol=1e-7)


def test_the_answer_is_that_of_the_trained_model(predictor, images, trained):
    model = Classifier.load_from_checkpoint(trained / "models/model.ckpt", weights_only=True)
    with torch.no_grad():
        expected = model.eval()(torch.from_numpy(images)).softmax(dim=1)
    np.testing.assert_allclose(predictor.probabilities(images), expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("side", [8, 64])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_picture_files_of_any_size_and_mode_are_recognised(predictor, trained, mode, side):
    paths = sorted((trained / "data/processed/digits/samples").glob("*.png"))
    copies = [Path(path.name) for path in paths]
    for path, copy in zip(paths, copies, strict=True):
        picture = Image.open(path).resize((side, side), Image.Resampling.BICUBIC)
        picture.convert(mode).save(copy)
    answers = predictor.predict_files(copies)
    assert all(0.1 <= answer.probability <= 1 for answer in answers)
    assert sum(answer.label == path.stem for answer, path in zip(answers, paths, strict=True)) >= 8


@pytest.mark.parametrize(
    "write",
    [
        lambda path: None,
        lambda path: path.mkdir(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("not a checkpoint", encoding="utf-8"),
        lambda path: torch.save({"weights": torch.zeros(1)}, path),
        lambda path: torch.save([1, 2, 3], path),
        lambda path: torch.save({"hyper_parameters": {"lr": 0.1}, "state_dict": {}}, path),
        lambda path: torch.save(torch.nn.Linear(1, 1), path),
    ],
    ids=["missing", "folder", "empty", "text", "foreign", "list", "other_project", "pickled"],
)
def test_what_is_no_checkpoint_is_named_in_one_line(tmp_path, write):
    write(tmp_path / "some.ckpt")
    with pytest.raises(UserError, match=r"some\.ckpt") as error:
        Predictor(tmp_path / "some.ckpt")
    assert len(str(error.value).splitlines()) == 1


def test_weights_of_another_network_are_refused(trained, tmp_path):
    saved = torch.load(trained / "models/model.ckpt", weights_only=True)
    saved["hyper_parameters"]["network"]["channels"] = [8, 16]
    torch.save(saved, tmp_path / "edited.ckpt")
    with pytest.raises(UserError, match=r"edited\.ckpt"):
        Predictor(tmp_path / "edited.ckpt")


def test_a_broken_picture_is_named(predictor, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(UserError, match=r"broken\.png"):
        predictor.predict_files([tmp_path / "broken.png"])
