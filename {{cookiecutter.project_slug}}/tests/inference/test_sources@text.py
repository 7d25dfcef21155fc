from pathlib import Path

import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor
from {{ cookiecutter.project_slug }}.inference.sources import BATCH, find_texts, predict_texts


@pytest.fixture
def predictor(model):
    return Predictor(model)


def test_texts_of_a_file_follow_those_of_the_command_line():
    Path("texts.txt").write_bytes("one\r\n\n  \ntwo\u2028and more\n".encode())
    found = find_texts(["first"], Path("texts.txt"))
    assert [text.strip() for text in found] == ["first", "one", "two\u2028and more"]


@pytest.mark.parametrize(
    ("content", "named"),
    [(b"", "holds no texts"), (b"\xff\xfe\xff", "utf-16"), (b"\xe9", "line 1")],
)
def test_a_file_without_texts_is_named(content, named):
    Path("texts.txt").write_bytes(content)
    with pytest.raises(UserError, match=named) as error:
        find_texts([], Path("texts.txt"))
    assert "texts.txt" in str(error.value)


def test_no_text_at_all_is_an_error():
    with pytest.raises(UserError, match="--file"):
        find_texts([], None)
    with pytest.raises(UserError, match=r"nowhere\.txt"):
        find_texts([], Path("nowhere.txt"))


def test_texts_are_classified_alike_alone_and_together(predictor):
    texts = ["ein lachendes gesicht", "une souris grise", "cara de gato que sonr\u00ede"]
    together = list(predict_texts(predictor, texts))
    alone = [answer for text in texts for answer in predict_texts(predictor, [text])]
    for one, other in zip(together, alone, strict=True):
        assert one.name == other.name
        assert one.predictions[0].label == other.predictions[0].label
        assert one.predictions[0].probability == pytest.approx(other.predictions[0].probability)
    assert [answer.predictions[0].label for answer in together] == ["de", "fr", "es"]


def test_the_form_of_a_letter_and_spaces_change_nothing(predictor):
    texts = ["caf\u00e9 au lait", "cafe\u0301  au\tlait\n"]
    one, other = predict_texts(predictor, texts, 3)
    assert one.predictions == other.predictions


def test_a_text_that_can_not_be_used_is_named_and_the_others_are_predicted(predictor):
    first, empty, half, last = predict_texts(predictor, ["a cat", " ", "\ud800", "a cat"], 2)
    assert first == last
    assert len(first.predictions) == 2
    assert empty.problem == "text 2: the text holds white space only"
    assert half.problem.startswith("text 3: ")


def test_texts_are_in_memory_a_batch_at_a_time(predictor, monkeypatch):
    sizes = []
    logits = predictor.model.outputs
    monkeypatch.setattr(
        predictor.model, "outputs", lambda inputs: sizes.append(len(inputs)) or logits(inputs)
    )
    count = 2 * BATCH + 1
    assert len(list(predict_texts(predictor, ["a cat"] * count))) == count
    assert sizes == [BATCH, BATCH, 1]


def test_texts_of_any_length_are_classified(predictor):
    answers = list(predict_texts(predictor, ["a", "b" * 80, "c" * 81, "d" * 100_000]))
    assert all(0 < answer.predictions[0].probability <= 1 for answer in answers)


def test_a_text_is_predicted_on_the_command_line(cli, model):
    code, output, _ = cli("predict", "ein lachendes gesicht", f"--model={model}", "--top=3")
    assert code == 0
    name, label, *_ = output.split("\t")
    assert (name, label) == ("ein lachendes gesicht", "de")
    code, output, error = cli("predict", f"--model={model}", "un gato", "")
    assert (code, len(output.splitlines()), len(error.splitlines())) == (2, 1, 1)
    assert "text 2: the text is empty" in error
