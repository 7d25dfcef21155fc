import csv
import json
from pathlib import Path

import numpy as np
import pytest
from sources import read_back, samples, write_lines

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.hugging_face import HuggingFaceDataModule
from {{ cookiecutter.project_slug }}.datasets.splits import SPLITS

# The folder of the tests has the name of the package, but no such module in it
pytest.importorskip("datasets.load", reason="the package datasets is not installed")
import datasets

ROWS = samples(10)
FEATURES = datasets.Features(
    {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["good", "bad"])}
)


def table(rows=ROWS) -> "datasets.Dataset":
    """Make a table whose labels are numbers of named classes."""
    return datasets.Dataset.from_list(
        [{"text": text, "label": ["good", "bad"].index(label)} for text, label in rows], FEATURES
    )


def prepared(source="hub", folder="data", **options) -> HuggingFaceDataModule:
    data = HuggingFaceDataModule(source, folder, **options)
    data.prepare_data()
    return data


def refused(**options) -> str:
    with pytest.raises(UserError) as error:
        prepared(**options)
    assert len(str(error.value).splitlines()) == 1
    assert not Path("data").exists()
    return str(error.value)


def write_csv(path: Path, rows=ROWS, header=("text", "label")) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "saved"])
def test_a_folder_is_read_in_each_usual_form(kind, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", Path("cache"))
    if kind == "csv":
        write_csv(Path("hub/train.csv"))
    elif kind == "jsonl":
        write_lines(Path("hub/train.jsonl"), ROWS)
    elif kind == "parquet":
        Path("hub").mkdir()
        table().to_parquet("hub/train.parquet")
    else:
        datasets.DatasetDict({"train": table()}).save_to_disk("hub")
    data = prepared()
    assert read_back(data) == dict(ROWS)
    assert data.classes == ["bad", "good"]
    assert {name for split in SPLITS for name in data.names(split)} == {
        f"train/{number}" for number in range(20)
    }
    assert not list(Path().glob("cache/**/*.arrow"))  # a folder needs no copy


def test_columns_and_labels_that_are_numbers_are_taken():
    rows = [(f"text {number}", number % 2) for number in range(20)]
    write_csv(Path("hub/train.csv"), rows, ("sentence", "target"))
    data = prepared(text="sentence", label="target")
    assert read_back(data) == {text: str(label) for text, label in rows}


def test_splits_that_are_there_are_kept_and_others_are_cut(capsys):
    tested = [(text.upper(), label) for text, label in ROWS[::3]]
    write_lines(Path("hub/train.jsonl"), ROWS)
    write_lines(Path("hub/test.jsonl"), [*tested, ROWS[0]])
    data = prepared()
    assert read_back(data, "test") == dict([*tested, ROWS[0]])
    assert read_back(data, "train", "val") == dict(ROWS[1:])
    told = capsys.readouterr().out
    assert "hub has no val: cut from train" in told
    assert "train leaves out 1 texts that are in test too" in told


def test_splits_can_be_named():
    parts = {"first": ROWS, "second": [(f"{text}!", label) for text, label in ROWS]}
    datasets.DatasetDict({name: table(rows) for name, rows in parts.items()}).save_to_disk("hub")
    assert "no single split for train, but first, second: name one" in refused()
    data = prepared(train_split="second", val_split="first")
    assert read_back(data, "val") == dict(parts["first"])
    assert read_back(data, "train", "test") == dict(parts["second"])


def test_two_splits_of_one_kind_are_refused():
    names = ("train", "dev", "validation")
    datasets.DatasetDict({name: table() for name in names}).save_to_disk("hub")
    assert "no single split for val" in refused()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"source": ""}, "data.source is empty"),
        ({"source": None}, "data.source is empty"),
        ({"source": "nowhere"}, "'nowhere': there is no such folder"),
        ({"source": "empty"}, "data.source=empty can't be read"),
        ({"text": "sentence"}, "data.source=hub has no column sentence, but text, label: name"),
        ({"text": "a", "label": "b"}, "no column a and no b, but"),
        ({"test_split": "gold"}, "has no split gold for test, but train"),
        ({"train_split": "train", "val_split": "train"}, "a split can be one thing only"),
        ({"revision": "v1"}, "has no revision v1"),
        ({"text": "label"}, "data.text and data.label"),
        ({"length": 0}, "length"),
    ],
)
def test_options_that_can_not_work_are_refused_in_one_line(options, named):
    write_lines(Path("hub/train.jsonl"), ROWS)
    Path("empty").mkdir()
    assert named in refused(**options)


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"text": None, "label": "good"}, "train/20: text is no text"),
        ({"text": " ", "label": "good"}, "train/20: the text holds white space only"),
        ({"text": "a", "label": None}, "train/20: label is None, which is no class"),
        ({"text": "a", "label": " "}, "train/20: the label is empty"),
    ],
)
def test_a_row_that_can_not_be_used_is_named(row, named):
    rows = [{"text": text, "label": label} for text, label in ROWS]
    Path("hub").mkdir()
    lines = [json.dumps(one) for one in [*rows, row]]
    Path("hub/train.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert f"1 of 21 texts can't be used; repair or remove: {named}" in refused()


def test_a_test_split_without_labels_is_refused_and_another_one_can_be_named():
    hidden = datasets.Dataset.from_list([{"text": f"secret {n}", "label": -1} for n in range(3)])
    parts = {"train": table(), "validation": table([("another good day", "good")])}
    parts["test"] = hidden.cast(FEATURES)
    datasets.DatasetDict(parts).save_to_disk("hub")
    assert "test/0: label is -1, which is no class" in refused()
    data = prepared(test_split="validation", folder="other")
    assert read_back(data, "test") == {"another good day": "good"}


def test_a_file_that_changes_is_noticed(capsys):
    write_lines(Path("hub/train.jsonl"), ROWS)
    prepared()
    write_lines(Path("hub/train.jsonl"), [(text, label.upper()) for text, label in ROWS])
    assert prepared().classes == ["BAD", "GOOD"]
    assert "the files of the source changed" in capsys.readouterr().out


def test_tokens_are_learned_where_the_settings_say_so():
    pytest.importorskip("tokenizers")
    write_lines(Path("hub/train.jsonl"), ROWS)
    data = prepared(tokenizer="bpe", vocabulary=280)
    assert read_back(data) == dict(ROWS)
    assert np.count_nonzero(data.arrays("train")[0], axis=1).max() < 25


def test_a_hub_that_can_not_be_reached_is_one_line_after_what_was_to_be_read(capsys, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    error = refused(source="owner/name", revision="v1")
    assert error.startswith("data.source=owner/name can't be read: Couldn't reach")
    said = capsys.readouterr().out
    assert said.startswith("data.source: reading owner/name, revision v1, from https://")
