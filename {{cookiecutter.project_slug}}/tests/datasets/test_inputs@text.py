import json
import sys
import unicodedata

import numpy as np
import pytest
from sources import save_model

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec, clean
from {{ cookiecutter.project_slug }}.datasets.tokens import make_spec


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a", "a"),
        ("  two\t\nwords \r\n", "two words"),
        ("nul\0inside", "nul inside"),
        ("bell\x07 and delete\x7f", "bell and delete"),
        ("line\u2028separator\u3000and wide space", "line separator and wide space"),
        (unicodedata.normalize("NFD", "h\u00e9"), "h\u00e9"),
        ("\U0001f600", "\U0001f600"),
    ],
)
def test_a_text_has_one_form(text, cleaned):
    assert clean(text) == cleaned
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("text", "named"),
    [("", "empty"), (" \n\t", "white space"), ("\0", "white space"), ("half \ud800", "surrogate")],
)
def test_what_is_no_text_is_refused_in_one_line(text, named):
    with pytest.raises(UserError, match=named) as error:
        InputSpec(8).encode(["fine", text])
    assert len(str(error.value).splitlines()) == 1


def test_characters_are_code_points_cut_and_padded():
    inputs = InputSpec(4).encode(["h\u00e9", "\U0001f600bcdef"])
    assert inputs.dtype == np.int32
    assert inputs.tolist() == [[104, 0xE9, 0, 0], [0x1F600, 98, 99, 100]]
    assert InputSpec(4).encode([]).shape == (0, 4)


@pytest.mark.parametrize("tokenizer", [None, "bpe"])
def test_a_text_that_fits_comes_back(tokenizer):
    if tokenizer:
        pytest.importorskip("tokenizers")
    texts = ["ein lachendes Gesicht", "\u7b11\u3046", "caf\u00e9 \U0001f600"]
    spec = make_spec(60, tokenizer, 300, texts)
    inputs = spec.encode([*texts, "not in training"])
    assert [spec.decode(sample) for sample in inputs] == [*texts, "not in training"]
    assert inputs.max() < spec.network_options()["vocabulary_size"]


def test_a_tokenizer_travels_as_plain_values_and_finds_what_is_frequent():
    pytest.importorskip("tokenizers")
    spec = make_spec(60, "bpe", 300, ["banana"] * 5)
    copy = InputSpec(**json.loads(json.dumps({"length": 60, "tokenizer": spec.tokenizer})))
    assert copy.encode(["banana"]).tolist() == spec.encode(["banana"]).tolist()
    assert np.count_nonzero(copy.encode(["banana"])) == 1
    assert np.count_nonzero(copy.encode(["banana " * 99])) == 60
    assert str(copy) == "at most 60 tokens"


def test_the_tokens_of_a_model_keep_its_special_ones_when_a_text_is_cut():
    pytest.importorskip("transformers")
    spec = make_spec(5, save_model("model"), 0, [])
    inputs = spec.encode(["sun", "sun rain snow wind fog"])
    start, end = inputs[0, [0, 2]]
    assert np.count_nonzero(inputs, axis=1).tolist() == [3, 5]
    assert inputs[1, [0, 4]].tolist() == [start, end]
    assert [spec.decode(sample) for sample in inputs] == ["sun", "sun rain snow"]
    assert spec.decode(spec.encode(["SUN"])[0]) == "sun"
    with pytest.raises(UserError, match="length is 2, but 2 tokens are added"):
        InputSpec(2, spec.tokenizer).encode(["sun"])


@pytest.mark.parametrize(("name", "named"), [("words", "no such folder"), (".", "can't be read")])
def test_a_model_without_a_tokenizer_is_named(name, named):
    pytest.importorskip("transformers")
    with pytest.raises(UserError, match=rf"data\.tokenizer.*{named}") as error:
        make_spec(5, name, 0, [])
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("tokenizer", "package", "group"),
    [("bpe", "tokenizers", "tokens"), ("owner/name", "transformers", "transformers")],
)
def test_a_package_that_is_missing_is_named_with_its_group(monkeypatch, tokenizer, package, group):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=rf"needs the package {package}: .* --group {group}`"):
        make_spec(5, tokenizer, 300, ["a"])


def test_a_tokenizer_that_is_none_is_named():
    pytest.importorskip("tokenizers")
    with pytest.raises(UserError, match="tokenizer"):
        InputSpec(60, "{}").encode(["a"])


@pytest.mark.parametrize("length", [0, -1, 2.5, "8", None])
def test_a_length_that_is_none_is_refused(length):
    with pytest.raises(UserError, match="length"):
        InputSpec(length)


def test_a_batch_is_cut_to_its_longest_text():
    spec = InputSpec(9)
    inputs = spec.encode(["abc", "a"])
    assert spec.trim(inputs).tolist() == [[97, 98, 99], [97, 0, 0]]
    assert spec.trim(spec.zeros(2)).shape == (2, 1)


@pytest.mark.parametrize(
    ("settings", "named"),
    [(("", 300), "''"), ((3, 300), "3"), (("bpe", 256), "256"), (("bpe", "many"), "many")],
)
def test_settings_of_no_tokenizer_are_refused(settings, named):
    from {{ cookiecutter.project_slug }}.datasets.tokens import check_tokenizer

    with pytest.raises(UserError, match=named):
        check_tokenizer(*settings)
