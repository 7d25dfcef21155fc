"""Predictions of a number, on the command line."""

import csv
import json
from pathlib import Path

import pytest
from sources import diabetes

from {{ cookiecutter.project_slug }}.inference.number import Value
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor


@pytest.fixture
def ask(cli, number_model):
    """Predict the first rows of the table; the second one is broken."""
    diabetes(count=4)
    path = Path("diabetes.csv")
    lines = path.read_text("utf-8").splitlines()
    lines[2] = lines[2].replace("woman", "robot")
    path.write_text("\n".join(lines), "utf-8")
    return lambda *options: cli("predict", f"--model={number_model}", *options, "diabetes.csv")


@pytest.fixture
def expected(number_model):
    diabetes(count=4)
    with Path("diabetes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    predictor = Predictor(number_model)
    names = predictor.input_spec.names
    inputs = predictor.input_spec.encode([{name: row[name] for name in names} for row in rows])
    values = predictor.predict(inputs).tolist()
    return [values[0], *values[2:]]


def test_a_line_holds_the_value(expected, ask):
    code, output, error = ask()
    assert code == 2
    assert "diabetes.csv:3, column 'sex' is 'robot'" in error
    lines = [line.split("\t") for line in output.splitlines()]
    assert [name for name, _ in lines] == [f"diabetes.csv:{line}" for line in (2, 4, 5)]
    assert [float(value) for _, value in lines] == pytest.approx(expected, rel=1e-6)


def test_json_holds_the_value_and_null_for_a_broken_row(expected, ask):
    rows = json.loads(ask("--json")[1])
    assert rows[0] == {"name": "diabetes.csv:2", "value": pytest.approx(expected[0])}
    assert rows[1].keys() == {"name", "value", "error"}
    assert rows[1]["value"] is None


def test_the_table_gets_one_column(expected, ask):
    ask("--output=out.csv")
    with Path("out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[-2:] == ["progression", "prediction"]
    assert rows[1]["prediction"] == ""
    found = [float(row["prediction"]) for row in rows if row["prediction"]]
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_terminal_shows_a_table(ask, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert "value" in ask()[1]


def test_numbers_have_no_rank(ask):
    code, output, error = ask("--top=3")
    assert (code, output, len(error.splitlines())) == (2, "", 1)
    assert "--top 3" in error


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (1234567.0, "1,234,600"),
        (-29670.3, "-29,670"),
        (0.5, "0.5"),
        (0.000123456, "0.00012346"),
        (1e20, "1e+20"),
    ],
)
def test_numbers_of_any_size_can_be_read(number, written):
    assert Value(number).cells() == [written]
