import hashlib

import example
import numpy as np
import pytest
import torch

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.classes import softmax
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor
from {{ cookiecutter.project_slug }}.training.learner import Learner


@pytest.fixture
def predictor(model):
    return Predictor(model)


@pytest.fixture
def inputs(trained):
    return np.load(trained / example.FOLDER / "test_inputs.npy")[:20]


def test_probabilities_sum_to_one(predictor, inputs):
    probabilities = predictor.predict(inputs)
    assert probabilities.shape == (len(inputs), len(example.CLASSES))
    assert probabilities.min() >= 0
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_a_batch_is_answered_like_its_samples_one_by_one(predictor, inputs):
    alone = [predictor.predict(inputs[i : i + 1])[0] for i in range(len(inputs))]
    np.testing.assert_allclose(predictor.predict(inputs), alone, rtol=1e-4, atol=1e-7)


def test_the_answer_is_that_of_the_trained_model(predictor, inputs, trained):
    model = Learner.load_from_checkpoint(trained / "models/model.ckpt", weights_only=True)
    with torch.no_grad():
        expected = model.eval()(torch.from_numpy(inputs)).softmax(dim=1)
    np.testing.assert_allclose(predictor.predict(inputs), expected, rtol=1e-4, atol=1e-7)


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
def test_classes_are_ranked_by_their_probability(predictor, inputs, count):
    probabilities = predictor.predict(inputs)
    for row, ranked in zip(probabilities, predictor.rank(inputs, count), strict=True):
        expected = {name: float(p) for name, p in zip(example.CLASSES, row, strict=True)}
        assert [one.probability for one in ranked] == sorted(row.tolist(), reverse=True)[:count]
        assert all(expected[one.label] == one.probability for one in ranked)
    assert [ranked[0] for ranked in predictor.rank(inputs, count)] == predictor.best(inputs)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_answer_that_is_no_number_is_an_error_of_one_line(predictor, inputs, monkeypatch, value):
    logits = np.full((len(inputs), len(example.CLASSES)), value, dtype=np.float32)
    monkeypatch.setattr(predictor.model, "outputs", lambda _: logits)
    for ask in (predictor.best, predictor.predict):
        with pytest.raises(UserError, match="NaN"):
            ask(inputs)


def test_an_infinitely_improbable_class_has_the_probability_zero():
    assert softmax(np.array([[0, -np.inf]], dtype=np.float32)).tolist() == [[1, 0]]
