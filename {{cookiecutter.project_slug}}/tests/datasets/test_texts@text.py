import csv
import json
from pathlib import Path

import numpy as np
import pytest
from sources import read_back, samples, write_lines

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets import text_files
from {{ cookiecutter.project_slug }}.datasets.splits import SPLITS
from {{ cookiecutter.project_slug }}.datasets.texts import TextsDataModule

ROWS = samples(10)


def table(
    rows=ROWS, header=("text", "label"), name="texts.csv", encoding="utf-8", delimiter=","
) -> str:
    with Path(name).open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    return name


def prepared(source="texts.csv", folder="data", **options):
    data = TextsDataModule(source, folder, **options)
    data.prepare_data()
    return data


def refused(source="texts.csv", **options) -> str:
    with pytest.raises(UserError) as error:
        prepared(source, **options)
    assert len(str(error.value).splitlines()) == 1
    assert not Path("data").exists()
    return str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_is_read_in_each_usual_form(encoding, delimiter):
    rows = [*ROWS, ('two\nlines, "quoted"; a\ttab | caf\u00e9', "good")]
    table(rows, encoding=encoding, delimiter=delimiter)
    found = read_back(prepared())
    assert found == dict(ROWS) | {'two lines, "quoted"; a tab | caf\u00e9': "good"}


def test_other_encodings_and_columns_are_named():
    rows = [(text.replace("good", "g\u00fct"), "id", label) for text, label in ROWS]
    table(rows, ("Text des Kunden", "id", "Klasse"), "kunden.tsv", "cp1252", "\t")
    error = refused("kunden.tsv", text="Text des Kunden", label="Klasse")
    assert "kunden.tsv, line 2, byte 4 (0xfc)" in error
    assert "data.encoding=cp1252" in error
    options = {"text": "Text des Kunden", "label": "Klasse", "encoding": "cp1252"}
    data = prepared("kunden.tsv", **options)
    assert "a g\u00fct day with sun 0" in read_back(data)
    assert set(data.names("train")) <= {f"kunden.tsv:{line}" for line in range(2, 22)}


def test_json_lines_hold_the_same():
    write_lines(Path("texts.jsonl"), ROWS)
    assert read_back(prepared("texts.jsonl")) == dict(ROWS)


def test_labels_may_be_numbers():
    lines = [json.dumps({"text": f"text {number}", "label": number % 2}) for number in range(20)]
    Path("texts.jsonl").write_text("\n\n".join(lines), encoding="utf-8")
    assert prepared("texts.jsonl").classes == ["0", "1"]


def write_folder(folder: Path, rows=ROWS) -> None:
    for number, (text, label) in enumerate(rows):
        path = folder / label / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_a_folder_of_classes_is_read(capsys):
    write_folder(Path("texts"))
    Path("texts/good/notes.pdf").touch()
    data = prepared("texts")
    assert read_back(data) == dict(ROWS)
    assert "good/0.txt" in {name for split in SPLITS for name in data.names(split)}
    assert "skipped 1 .pdf" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["files", "folders"])
def test_splits_that_are_there_are_kept(kind):
    tested = [(text.upper(), label) for text, label in ROWS[::3]]
    for name, rows in (("train", ROWS), ("test", tested)):
        if kind == "files":
            write_lines(Path("texts", f"{name}.jsonl"), rows)
        else:
            write_folder(Path("texts", name), rows)
    data = prepared("texts")
    assert read_back(data, "test") == dict(tested)
    assert read_back(data, "train", "val") == dict(ROWS)


def test_a_test_text_is_left_out_of_training(capsys):
    write_lines(Path("texts/train.jsonl"), ROWS)
    write_lines(Path("texts/test.jsonl"), ROWS[:2] + ROWS[10:12])
    data = prepared("texts")
    assert read_back(data, "test") == dict(ROWS[:2] + ROWS[10:12])
    assert read_back(data, "train", "val").keys().isdisjoint(read_back(data, "test"))
    assert "train leaves out 4 texts that are in test too" in capsys.readouterr().out


def test_equal_texts_stay_in_one_split_and_other_labels_are_reported(capsys):
    table(ROWS * 3 + [(ROWS[0][0] + " ", "bad")])
    data = prepared()
    found = [set(read_back(data, split)) for split in SPLITS]
    assert sum(map(len, found)) == len(ROWS)
    assert sum(len(data.arrays(split)[1]) for split in SPLITS) == 61
    assert "1 texts have another label elsewhere: texts.csv:2 good, texts.csv:62 bad" in (
        capsys.readouterr().out
    )


def test_long_texts_are_cut_counted_and_equal_where_their_start_is(capsys):
    rows = [*ROWS, ("x" * 300 + "1", "good"), ("x" * 300 + "2", "good")]
    data = prepared(table(rows), length=50)
    assert "2 texts fill all of data.length=50" in capsys.readouterr().out
    assert sum("x" * 50 in read_back(data, split) for split in SPLITS) == 1


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "no column text and no column label in its first line, but nothing"),
        ("message,label\na,b\n", "no column text in its first line, but message, label"),
        ("text,text,label\na,b,c\n", "two columns text"),
        ("text,label\n", "holds no texts"),
        ("text,label\na,x\nb,x\n", "two classes"),
        ("text,label\na,x\nb,y\n", "class x has 1 samples"),
        ("text,label\na,x\n,y\n ,y\n", "2 of 3 texts can't be used; repair or remove: texts.csv:3"),
        ("text,label\na,\n", "texts.csv:2: the label is empty"),
        ("text,label\na,x\nb,y,z\n", "texts.csv:3: 3 fields, but the header has 2"),
        ('text,label\n"a" b,x\n', "texts.csv, line 2"),
        ('text,label\na,x\n"never\nclosed,x\n', "texts.csv, line 3"),
    ],
)
def test_a_table_that_can_not_be_used_is_explained_in_one_line(content, named):
    Path("texts.csv").write_text(content, encoding="utf-8")
    assert named in refused()


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("{", "no JSON"),
        ("[1, 2]", "no key text, but none"),
        ('{"txt": "a", "label": "b"}', "no key text, but txt, label"),
        ('{"text": 1, "label": "b"}', "text is no text"),
        ('{"text": "a", "label": null}', "label is no text"),
        ('{"text": "a", "label": ["b"]}', "label is no text"),
        ('{"text": "half \\ud800", "label": "b"}', "surrogate"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_a_line_of_json_that_can_not_be_used_is_named(line, named):
    Path("texts.jsonl").write_text(f"\n{line}\n", encoding="utf-8")
    error = refused("texts.jsonl")
    assert "texts.jsonl:2: " in error
    assert named in error


def test_a_text_file_that_can_not_be_used_is_named():
    write_folder(Path("texts"))
    Path("texts/good/empty.txt").touch()
    Path("texts/good/latin.txt").write_bytes(b"caf\xe9")
    error = refused("texts")
    assert "2 of 22" in error
    assert "good/empty.txt: the text is empty" in error
    assert "latin.txt, line 1, byte 4 (0xe9)" in error


def test_classes_that_only_the_test_split_has_are_named():
    write_lines(Path("texts/train.jsonl"), ROWS)
    write_lines(Path("texts/test.jsonl"), [("new", "ugly")])
    assert "ugly are in test only" in refused("texts")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"source": ""}, "data.source is empty"),
        ({"source": "nowhere.csv"}, "nowhere.csv does not exist"),
        ({"source": "texts.xlsx"}, r"\.csv, \.jsonl"),
        ({"encoding": "utf-9"}, "utf-9"),
        ({"encoding": 8}, "data.encoding"),
        ({"length": 0}, "length"),
        ({"tokenizer": 3}, "data.tokenizer is 3"),
        ({"text": "label"}, "data.text and data.label"),
        ({"folder": "inside/data", "source": "inside"}, "inside of data.source"),
    ],
)
def test_options_that_can_not_work_are_refused(options, named):
    Path("texts.xlsx").touch()
    table()
    with pytest.raises(UserError, match=named):
        prepared(**options)


def test_a_folder_with_a_table_that_is_no_split_is_refused():
    write_lines(Path("texts/reviews.jsonl"), ROWS)
    assert "name the file as data.source" in refused("texts")


def test_a_label_that_changes_is_noticed(capsys):
    table()
    assert prepared().classes == ["bad", "good"]
    table([(text, label.replace("good", "fine")) for text, label in ROWS])
    assert prepared().classes == ["bad", "fine"]
    assert "the files of the source changed" in capsys.readouterr().out


def test_a_text_may_be_as_long_as_a_book():
    table([*ROWS, ("word " * 100_000, "good")])
    assert "word " * 80 in read_back(prepared())


def test_a_quote_that_is_never_closed_ends_the_reading():
    before = text_files.csv.field_size_limit(1000)
    try:
        table([*ROWS, ("word " * 1000, "good")])
        assert "line 22" in refused()
    finally:
        text_files.csv.field_size_limit(before)


def test_tokens_are_learned_where_the_settings_say_so():
    pytest.importorskip("tokenizers")
    table()
    data = prepared(tokenizer="bpe", vocabulary=280)
    assert read_back(data) == dict(ROWS)
    assert np.count_nonzero(data.arrays("train")[0], axis=1).max() < 25
