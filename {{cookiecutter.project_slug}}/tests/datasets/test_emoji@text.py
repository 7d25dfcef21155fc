import json
from pathlib import Path

import example
import numpy as np
import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.emoji import EmojiDataModule, read_names
from {{ cookiecutter.project_slug }}.datasets.splits import SPLITS


@pytest.fixture(scope="module")
def emoji(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("emoji") / "data")
    data = EmojiDataModule(folder, languages=example.CLASSES)
    data.prepare_data()
    return data


def test_names_are_read_in_14_languages():
    languages, names = read_names()
    assert len(languages) == 14
    assert {len(row) for row in names} == {14}
    assert len(names) > 1500
    german, english = languages.index("de"), languages.index("en")
    assert ("rotes herz", "red heart") in {(row[german], row[english]) for row in names}


def test_names_are_read_in_some_languages(emoji):
    assert emoji.classes == example.CLASSES
    assert sum(len(emoji.arrays(split)[1]) for split in SPLITS) == example.COUNT
    inputs, labels = emoji.arrays("train")
    texts = {emoji.input_spec.decode(sample) for sample in inputs[labels == 0]}
    assert {"lachender gesicht", "rotes herz", "deutschland"} & texts
    assert (inputs[:, -1] == 0).all()  # none is cut off


@pytest.mark.parametrize("languages", [["xx"], ["de", 1], [], "de"])
def test_an_unknown_language_is_refused(languages):
    with pytest.raises(UserError, match="name some of ar, de, en"):
        EmojiDataModule("data", languages=languages).prepare_data()


def test_all_names_of_an_emoji_are_in_one_split(emoji):
    found = [{name.rpartition("/")[0] for name in emoji.names(split)} for split in SPLITS]
    assert all(found)
    assert found[0].isdisjoint(found[1] | found[2])
    assert found[1].isdisjoint(found[2])


def test_no_text_is_there_twice(emoji):
    inputs = np.concatenate([emoji.arrays(split)[0] for split in SPLITS])
    assert len(np.unique(inputs, axis=0)) == example.COUNT


def test_a_sample_is_named_by_its_emoji_and_its_language(emoji):
    _, labels = emoji.arrays("test")
    names = emoji.names("test")
    assert [name.rpartition("/")[2] for name in names] == [emoji.classes[one] for one in labels]
    assert all(name.startswith("emoji/") for name in names)


def test_each_language_has_a_test_name_to_try(emoji):
    inputs, labels = emoji.arrays("test")
    for number, language in enumerate(emoji.classes):
        sample = (emoji.folder / "samples" / f"{language}.txt").read_text("utf-8").strip()
        assert sample in {emoji.input_spec.decode(one) for one in inputs[labels == number]}


def test_tokens_are_learned_from_training_names_only():
    pytest.importorskip("tokenizers")
    data = EmojiDataModule("tokens", tokenizer="bpe", vocabulary=400)
    data.prepare_data()
    spec = data.input_spec
    assert spec.network_options() == {"vocabulary_size": 401, "length": 80}
    assert str(spec) == "at most 80 tokens"
    stored = json.loads(Path("tokens/meta.json").read_text("utf-8"))
    assert stored["input_spec"]["tokenizer"] == spec.tokenizer
