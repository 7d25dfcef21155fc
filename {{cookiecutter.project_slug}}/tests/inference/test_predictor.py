import hashlib
from pathlib import Path

import example
import numpy as np
import pytest
import torch
from PIL import Image

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.inputs import FITS, read_image
from {{ cookiecutter.project_slug }}.inference.checkpoint import load_checkpoint
from {{ cookiecutter.project_slug }}.inference.picture_files import predict_files
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor, softmax
from {{ cookiecutter.project_slug }}.training.classifier import Classifier


@pytest.fixture
def predictor(model):
    return Predictor(model)


@pytest.fixture
def images(trained):
    return np.load(trained / example.FOLDER / "test_images.npy")[:20]


def test_probabilities_sum_to_one(predictor, images):
    probabilities = predictor.probabilities(images)
    assert probabilities.shape == (len(images), len(example.CLASSES))
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


def test_the_version_names_the_content(predictor, model):
    assert hashlib.sha256(model.read_bytes()).hexdigest().startswith(predictor.version)
    assert len(predictor.version) == 12


def test_the_file_is_read_once(model, monkeypatch):
    reads = []
    read = type(model).read_bytes
    monkeypatch.setattr(type(model), "read_bytes", lambda path: reads.append(path) or read(path))
    Predictor(model)
    assert reads == [model]


@pytest.mark.parametrize("count", [1, 3, 1000])
def test_classes_are_ranked_by_their_probability(predictor, images, count):
    probabilities = predictor.probabilities(images)
    for row, ranked in zip(probabilities, predictor.rank(images, count), strict=True):
        expected = {name: float(p) for name, p in zip(example.CLASSES, row, strict=True)}
        assert [one.probability for one in ranked] == sorted(row.tolist(), reverse=True)[:count]
        assert all(expected[one.label] == one.probability for one in ranked)
    assert [ranked[0] for ranked in predictor.rank(images, count)] == predictor.classify(images)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_answer_that_is_no_number_is_an_error_of_one_line(predictor, images, monkeypatch, value):
    logits = np.full((len(images), len(example.CLASSES)), value, dtype=np.float32)
    monkeypatch.setattr(predictor.model, "logits", lambda _: logits)
    for ask in (predictor.classify, predictor.probabilities):
        with pytest.raises(UserError, match="NaN"):
            ask(images)


def test_an_infinitely_improbable_class_has_the_probability_zero():
    assert softmax(np.array([[0, -np.inf]], dtype=np.float32)).tolist() == [[1, 0]]


def fitted(trained, fit: str | None) -> Path:
    """Copy the trained checkpoint, with another `fit` in it or, as old ones have it, none."""
    saved = load_checkpoint(trained / "models/model.ckpt")
    assert saved["hyper_parameters"].pop("fit") == "stretch"
    if fit:
        saved["hyper_parameters"]["fit"] = fit
    torch.save(saved, "fitted.ckpt")
    return Path("fitted.ckpt")


def test_a_picture_of_another_shape_is_fitted_as_in_training(trained):
    picture = Image.open(trained / example.SAMPLE)
    wide = Image.new(picture.mode, (picture.width * 3, picture.height))
    wide.paste(picture, (picture.width, 0))
    wide.save("wide.png")
    answers = {}
    for fit in [*FITS, None]:
        predictor = Predictor(fitted(trained, fit))
        assert predictor.fit == (fit or "stretch")
        [answer] = predict_files(predictor, [Path("wide.png")])
        answers[fit] = answer.predictions[0]
        pixels = read_image(Path("wide.png"), predictor.image_shape, predictor.fit)
        assert answers[fit] == predictor.classify(pixels[None])[0]
    assert len(set(answers.values())) == len(FITS)
    assert answers["crop"].label == example.LABEL
    assert answers[None] == answers["stretch"]


def test_a_fit_of_a_later_version_is_named(trained):
    with pytest.raises(UserError, match=r"^fitted\.ckpt has fit='squeeze': use the source"):
        Predictor(fitted(trained, "squeeze"))
