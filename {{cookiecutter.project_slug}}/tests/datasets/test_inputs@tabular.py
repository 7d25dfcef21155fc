import json
import math

import numpy as np
import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec

NUMBER = {"mean": 2.0, "deviation": 1.0, "median": 2.5, "low": 0.0, "high": 4.0}
COLUMNS = [
    {"name": "bill length", "kind": "number", "missing": True, **NUMBER},
    {"name": "größe", "kind": "number", "missing": False, **NUMBER},
    {
        "name": "island",
        "kind": "category",
        "missing": True,
        "categories": ["Biscoe", "Dream"],
        "common": "Dream",
    },
    {
        "name": "species",
        "kind": "category",
        "missing": False,
        "categories": ["a", "b"],
        "common": "a",
    },
    {"name": "tagged", "kind": "boolean", "missing": True, **NUMBER},
]
SPEC = InputSpec(COLUMNS)
ROW = {"bill length": 3, "größe": 1.5, "island": "Dream", "species": "a", "tagged": True}


def test_a_row_becomes_one_number_for_each_column():
    other = {**ROW, "bill length": None, "island": None, "species": "b", "tagged": None}
    inputs = SPEC.encode([ROW, other])
    assert inputs.dtype == np.float32
    np.testing.assert_array_equal(inputs, [[3, 1.5, 2, 1, 1], [np.nan, 1.5, 0, 2, np.nan]])


def test_decoding_an_input_returns_the_row():
    rows = [ROW, {**ROW, "bill length": None, "island": None, "tagged": False, "größe": 0.1}]
    inputs = SPEC.encode(rows)
    assert [SPEC.decode(row) for row in inputs] == rows


def test_the_text_of_a_file_means_the_same_as_the_value():
    text = {"bill length": " 3e0 ", "größe": "+1.5", "island": " Dream", "tagged": "TRUE"}
    np.testing.assert_array_equal(SPEC.encode([ROW | text]), SPEC.encode([ROW]))
    for missing in ("", "NA", "nan", "null", None):
        assert math.isnan(SPEC.encode([{**ROW, "bill length": missing}])[0, 0])


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("bill length", "long", "has to be a number"),
        ("bill length", "1,5", "has to be a number"),
        ("bill length", "1_000", "has to be a number"),
        ("bill length", True, "has to be a number"),
        ("bill length", [1.0], "has to be a number"),
        ("bill length", math.nan, "nan"),
        ("bill length", "-Infinity", "Infinity"),
        ("bill length", 1e39, "1e[+]39"),
        ("bill length", 10**400, "1000"),
        ("größe", None, "empty"),
        ("größe", " ", "empty"),
        ("island", "dream", "'Biscoe', 'Dream'"),
        ("island", 2, "'Biscoe', 'Dream'"),
        ("island", True, "'Biscoe', 'Dream'"),
        ("species", "", "empty"),
        ("tagged", 1, "true or false"),
        ("tagged", "yes", "true or false"),
    ],
)
def test_a_wrong_value_is_refused_with_row_and_column(column, value, named):
    with pytest.raises(UserError, match=named) as refused:
        SPEC.encode([ROW, {**ROW, column: value}])
    message = str(refused.value)
    assert message.startswith(f"rows[1], column {column!r} ")
    assert len(message.splitlines()) == 1
    assert len(message) < 200
    with pytest.raises(UserError, match=r"^birds\.csv:3, column"):
        SPEC.encode([ROW, {**ROW, column: value}], ["birds.csv:2", "birds.csv:3"])


def test_a_row_needs_the_columns_of_the_model_and_no_others():
    with pytest.raises(UserError, match=r"rows\[0\] has no column 'island'"):
        SPEC.encode([{name: value for name, value in ROW.items() if name != "island"}])
    with pytest.raises(UserError, match=r"rows\[0\] has the column 'sex', which the model"):
        SPEC.encode([{**ROW, "sex": "f"}])


def test_a_usual_row_can_be_encoded():
    assert SPEC.typical() == {
        "bill length": 2.5,
        "größe": 2.5,
        "island": "Dream",
        "species": "a",
        "tagged": True,
    }
    zeros = SPEC.zeros(3)
    assert zeros.shape == (3, *SPEC.shape)
    assert np.isfinite(zeros).all()


def test_the_description_survives_json():
    again = InputSpec(json.loads(json.dumps(COLUMNS)))
    np.testing.assert_array_equal(again.encode([ROW]), SPEC.encode([ROW]))
    json.dumps([SPEC.summary(), SPEC.preprocessing(), SPEC.typical()])
    assert str(SPEC) == "5 columns"


@pytest.mark.parametrize(
    "columns",
    [
        [],
        [COLUMNS[0], COLUMNS[0]],
        [{"name": "a", "kind": "text", "missing": False}],
        [{"name": "a", "kind": "number", "missing": False}],
        [{"name": "a", "kind": "category", "missing": False}],
    ],
)
def test_columns_that_are_not_described_are_refused(columns):
    with pytest.raises(UserError, match="column"):
        InputSpec(columns)
