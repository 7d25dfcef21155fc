from pathlib import Path

import numpy as np
import pytest
from sources import write

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec
from {{ cookiecutter.project_slug }}.inference.classes import Classes, Prediction
from {{ cookiecutter.project_slug }}.inference.predictor import Answer
from {{ cookiecutter.project_slug }}.inference.sources import (
    BATCH,
    predict_rows,
    read_rows,
    write_predictions,
)

SPEC = InputSpec(
    [
        {
            "name": "größe",
            "kind": "number",
            "missing": True,
            "mean": 0.0,
            "deviation": 1.0,
            "median": 0.0,
            "low": -1.0,
            "high": 1.0,
        },
        {
            "name": "island",
            "kind": "category",
            "missing": False,
            "categories": ["Biscoe", "Dream"],
            "common": "Dream",
        },
    ]
)
TARGET = Classes([])
HEADER = ["id", "größe", "island", "species"]
ROWS = [["1", "2.5", "Dream", "a"], ["2", "", "Biscoe", ""], ["3", "-1", "Dream", "c, d"]]


class Echo:
    """A model that names each row by its input."""

    input_spec = SPEC

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def rank(self, inputs: np.ndarray, count: int) -> list[list[Prediction]]:
        self.sizes.append(len(inputs))
        return [[Prediction(str(row.tolist()), 0.5)] * count for row in inputs]


def predicted(path: Path, count: int = 1) -> list[Answer]:
    return list(predict_rows(Echo(), read_rows(path, SPEC), count))


def test_each_row_is_predicted_by_the_columns_of_the_model():
    answers = predicted(write("table.csv", ROWS, HEADER), 2)
    assert [answer.name for answer in answers] == ["table.csv:2", "table.csv:3", "table.csv:4"]
    labels = [[one.label for one in answer.predictions] for answer in answers]
    assert labels == [["[2.5, 2.0]"] * 2, ["[nan, 1.0]"] * 2, ["[-1.0, 2.0]"] * 2]


def test_a_wrong_row_is_named_and_the_others_are_predicted():
    rows = [*ROWS, ["4", "2,5", "Dream", ""], ["5", "1", "Anvers", ""], ["6", "1", "", ""], ROWS[0]]
    answers = predicted(write("table.csv", rows, HEADER))
    assert [bool(answer.problem) for answer in answers] == [False] * 3 + [True] * 3 + [False]
    assert answers[3].problem.startswith("table.csv:5, column 'größe' is '2,5'")
    assert answers[4].problem.startswith("table.csv:6, column 'island' is 'Anvers'")
    assert answers[5].problem.startswith("table.csv:7, column 'island' is empty")
    assert answers[6].predictions == answers[0].predictions


def test_rows_go_through_the_model_a_batch_at_a_time():
    model = Echo()
    rows = read_rows(write("table.csv", ROWS[:1] * (2 * BATCH + 1), HEADER), SPEC)
    assert len(list(predict_rows(model, rows))) == len(rows)
    assert model.sizes == [BATCH, BATCH, 1]


@pytest.mark.parametrize(
    ("header", "rows", "named"),
    [
        (["größe", "Island"], [["1", "Dream"]], "no column 'island'; it has 'größe', 'Island'"),
        (HEADER, [], "no rows"),
        (HEADER, [ROWS[0], ROWS[1][:3]], "table.csv:3 has 3 fields"),
    ],
)
def test_a_table_that_does_not_fit_the_model_is_refused(header, rows, named):
    with pytest.raises(UserError, match=named) as refused:
        read_rows(write("table.csv", rows, header), SPEC)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("separator", [",", ";"])
def test_the_table_is_written_with_its_predictions(separator):
    path = write("table.csv", [*ROWS, ["4", "much", "Dream", ""]], HEADER, separator)
    write_predictions(Path("new/out.csv"), path, predicted(path), TARGET)
    written = path.read_text(encoding="utf-8").splitlines()
    added = ["prediction,probability", '"[2.5, 2.0]",0.5', '"[nan, 1.0]",0.5']
    added += ['"[-1.0, 2.0]",0.5', ","]
    if separator == ";":
        added = [line.replace('",', ";").replace('"', "") for line in added]
        added = ["prediction;probability", *added[1:-1], ";"]
    expected = [f"{old}{separator}{new}" for old, new in zip(written, added, strict=True)]
    assert Path("new/out.csv").read_text(encoding="utf-8").splitlines() == expected
    assert [one.name for one in Path("new").iterdir()] == ["out.csv"]


def test_columns_of_these_names_are_kept():
    path = write("table.csv", [["1", "Dream", "x"]], ["größe", "island", "prediction"])
    write_predictions(Path("out.csv"), path, predicted(path), TARGET)
    header = Path("out.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "größe,island,prediction,prediction_,probability"


def test_an_output_that_can_not_be_written_is_named():
    path = write("table.csv", ROWS, HEADER)
    answers = predicted(path)
    before = path.read_bytes()
    with pytest.raises(UserError, match="is the table itself"):
        write_predictions(path, path, answers, TARGET)
    Path("file").write_bytes(b"")
    with pytest.raises(UserError, match=r"file.out\.csv can't be written"):
        write_predictions(Path("file/out.csv"), path, answers, TARGET)
    assert path.read_bytes() == before
