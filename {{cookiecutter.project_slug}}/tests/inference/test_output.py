import json

import pytest

from {{ cookiecutter.project_slug }}.inference.classes import Classes, Prediction
from {{ cookiecutter.project_slug }}.inference.output import print_answers
from {{ cookiecutter.project_slug }}.inference.predictor import Answer

ANSWERS = [
    Answer("[b]1[/b]", [Prediction("[red]", 0.75), Prediction("tab\there\udce9", 0.25)]),
    Answer("new\nline", problem="new\nline: not readable"),
]
TARGET = Classes(["[red]", "tab\there\udce9"])
PROBLEM = "Error: new\\nline: not readable\n"


def test_lines_have_a_column_for_each_name_and_number(capsys):
    print_answers(ANSWERS, TARGET, as_json=False)
    output, error = capsys.readouterr()
    assert output == "[b]1[/b]\t[red]\t0.7500\ttab\\there\\udce9\t0.2500\n"
    assert error == PROBLEM


def test_a_table_shows_names_as_they_are(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    print_answers(ANSWERS, TARGET, as_json=False)
    output, error = capsys.readouterr()
    shown = ("[b]1[/b]", "[red]", "75.0%", "tab\\there\\udce9", "25.0%")
    assert all(text in output for text in shown)
    assert error == PROBLEM


def test_json_has_an_object_for_each_sample(capsys):
    print_answers(ANSWERS, TARGET, as_json=True)
    output, error = capsys.readouterr()
    assert json.loads(output) == [
        {
            "name": "[b]1[/b]",
            "label": "[red]",
            "probability": 0.75,
            "top": [
                {"label": "[red]", "probability": 0.75},
                {"label": "tab\there\udce9", "probability": 0.25},
            ],
        },
        {
            "name": "new\nline",
            "label": None,
            "probability": None,
            "error": "new\nline: not readable",
        },
    ]
    assert error == PROBLEM


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_never_holds_what_is_no_number(capsys, value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_answers([Answer("1", [Prediction("a", value)])], TARGET, as_json=True)
    assert capsys.readouterr().out == ""
