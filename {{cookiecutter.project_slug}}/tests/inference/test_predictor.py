import hashlib
from pathlib import Path

import example
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


@pytest.mark.parametrize("scale", [1, 8])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_picture_files_of_any_size_and_mode_are_recognised(predictor, trained, mode, scale):
    copies = []
    for name, sample in example.SAMPLES.items():
        picture = Image.open(trained / sample)
        size = picture.width * scale, picture.height * scale
        copies.append(Path(f"{name}.png"))
        picture.resize(size, Image.Resampling.BICUBIC).convert(mode).save(copies[-1])
    answers = predictor.predict_files(copies)
    assert all(0.1 <= answer.probability <= 1 for answer in answers)
    right = sum(answer.label == path.stem for answer, path in zip(answers, copies, strict=True))
    assert right >= 0.8 * len(copies)


def test_a_broken_picture_is_named(predictor, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(UserError, match=r"broken\.png"):
        predictor.predict_files([tmp_path / "broken.png"])
