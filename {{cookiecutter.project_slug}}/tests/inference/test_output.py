import json
from pathlib import Path

import pytest

from {{ cookiecutter.project_slug }}.inference.output import print_answers
from {{ cookiecutter.project_slug }}.inference.picture_files import Answer
from {{ cookiecutter.project_slug }}.inference.predictor import Prediction

ANSWERS = [
    Answer(Path("[b]1[/b].png"), [Prediction("[red]", 0.75), Prediction("tab\there\udce9", 0.25)]),
    Answer(Path("new\nline.png"), problem="new\nline.png: not a readable picture"),
]
PROBLEM = "Error: new\\nline.png: not a readable picture\n"


def test_lines_have_a_column_for_each_name_and_number(capsys):
    print_answers(ANSWERS, as_json=False)
    output, error = capsys.readouterr()
    assert output == "[b]1[/b].png\t[red]\t0.7500\ttab\\there\\udce9\t0.2500\n"
    assert error == PROBLEM


def test_a_table_shows_names_as_they_are(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    print_answers(ANSWERS, as_json=False)
    output, error = capsys.readouterr()
    shown = ("[b]1[/b].png", "[red]", "75.0%", "tab\\there\\udce9", "25.0%")
    assert all(text in output for text in shown)
    assert error == PROBLEM


def test_json_has_an_object_for_each_file(capsys):
    print_answers(ANSWERS, as_json=True)
    output, error = capsys.readouterr()
    assert json.loads(output) == [
        {
            "path": "[b]1[/b].png",
            "label": "[red]",
            "probability": 0.75,
            "top": [
                {"label": "[red]", "probability": 0.75},
                {"label": "tab\there\udce9", "probability": 0.25},
            ],
        },
        {
            "path": "new\nline.png",
            "label": None,
            "probability": None,
            "error": "new\nline.png: not a readable picture",
        },
    ]
    assert error == PROBLEM


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_never_holds_what_is_no_number(capsys, value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_answers([Answer(Path("1.png"), [Prediction("a", value)])], as_json=True)
    assert capsys.readouterr().out == ""
