import numpy as np
import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.model import one_line
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor


@pytest.fixture
def loaded(model):
    return Predictor(model).model


def test_a_model_that_fails_is_refused_in_one_line_when_it_is_loaded(model, loaded, monkeypatch):
    def fail(self, inputs):
        raise RuntimeError("broken\nin two")

    monkeypatch.setattr(type(loaded), "outputs", fail)
    with pytest.raises(UserError, match=r"model\.\w+ can't answer: broken in two$"):
        Predictor(model)


@pytest.mark.parametrize("change", [lambda x: x[:1], lambda x: x[:, :-1], np.float64])
def test_a_model_with_other_outputs_is_refused_when_it_is_loaded(
    model, loaded, monkeypatch, change
):
    outputs = type(loaded).outputs
    monkeypatch.setattr(type(loaded), "outputs", lambda self, x: change(outputs(self, x)))
    with pytest.raises(UserError, match=r"can't answer: it returns float.* for two samples"):
        Predictor(model)


def test_the_longest_input_is_tried(model, loaded, monkeypatch):
    seen = []
    outputs = type(loaded).outputs
    monkeypatch.setattr(type(loaded), "outputs", lambda self, x: seen.append(x) or outputs(self, x))
    Predictor(model)
    [inputs] = seen
    assert inputs.shape == (2, *loaded.input_spec.shape)
    assert loaded.input_spec.trim(inputs).shape == inputs.shape


def test_the_message_of_an_error_is_shortened_to_one_line():
    assert one_line(ValueError("a\n\tb")) == "a b"
    assert one_line(ValueError()) == "ValueError"
    assert len(one_line(ValueError("x" * 10_000))) < 400
