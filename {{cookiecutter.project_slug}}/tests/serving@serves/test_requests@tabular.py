import json
import math

import numpy as np
import pytest
from pydantic import ValidationError

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec
from {{ cookiecutter.project_slug }}.serving.payloads import UnknownFormatError
from {{ cookiecutter.project_slug }}.serving.requests import (
    input_tensors,
    read_file,
    read_tensors,
    request_type,
    to_inputs,
)
from {{ cookiecutter.project_slug }}.serving.settings import Settings
from {{ cookiecutter.project_slug }}.serving.tensors import GivenTensor, read_values

SETTINGS = Settings(max_batch=3)
SIZE = {"mean": 1.5, "deviation": 1.0, "median": 1.0, "low": 0.0, "high": 2.0}
NAMES = ["mean radius", "größe", "model_config", "a.b", "__class__", "self", "column_1", '"', ""]
SPEC = InputSpec(
    [
        *({"name": name, "kind": "number", "missing": name == "größe", **SIZE} for name in NAMES),
        {
            "name": "species",
            "kind": "category",
            "missing": False,
            "categories": ["cat", "it's"],
            "common": "cat",
        },
        {"name": "tagged", "kind": "boolean", "missing": True, **SIZE},
    ]
)
ROW = SPEC.typical()


def inputs_of(body: object) -> np.ndarray:
    return to_inputs(request_type(SPEC, SETTINGS).model_validate_json(json.dumps(body)), SPEC)


def errors_of(body: object) -> list[tuple]:
    with pytest.raises(ValidationError) as refused:
        inputs_of(body)
    return [error["loc"] for error in refused.value.errors()]


def test_columns_may_have_any_name():
    row = {**ROW, **{name: number for number, name in enumerate(NAMES)}, "species": "it's"}
    other = {**ROW, "größe": None, "tagged": None}
    inputs = inputs_of({"rows": [row, other]})
    assert inputs.dtype == np.float32
    np.testing.assert_array_equal(inputs[0], [*range(len(NAMES)), 2, 1])
    np.testing.assert_array_equal(inputs[1], [1, math.nan, *[1] * 7, 1, math.nan])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("mean radius", "1"),
        ("mean radius", None),
        ("mean radius", True),
        ("a.b", [1]),
        ("self", math.nan),
        ("__class__", -math.inf),
        ("column_1", 1e39),
        ("größe", 10**400),
        ("species", "dog"),
        ("species", ""),
        ("species", 1),
        ("species", None),
        ("tagged", 1),
        ("tagged", "true"),
        ("column_0", 1),
    ],
)
def test_a_wrong_value_is_refused_at_its_place(column, value):
    assert errors_of({"rows": [ROW, {**ROW, column: value}]}) == [("rows", 1, column)]


@pytest.mark.parametrize("column", ROW)
def test_each_column_has_to_be_there(column):
    row = {name: value for name, value in ROW.items() if name != column}
    assert errors_of({"rows": [row]}) == [("rows", 0, column)]


@pytest.mark.parametrize("body", [{}, [], {"rows": []}, {"rows": ROW}, {"rows": [ROW] * 4}])
def test_a_request_has_some_rows_and_not_too_many(body):
    assert errors_of(body)[0] in {(), ("rows",)}


def test_the_document_describes_each_column_and_has_an_example_that_works():
    schema = request_type(SPEC, SETTINGS).model_json_schema()
    rows = schema["properties"]["rows"]
    assert "$ref" not in json.dumps(schema)
    assert list(rows["items"]["properties"]) == [*NAMES, "species", "tagged"]
    assert rows["items"]["required"] == [*NAMES, "species", "tagged"]
    assert rows["items"]["additionalProperties"] is False
    assert rows["items"]["properties"]["species"]["enum"] == ["cat", "it's"]
    (example,) = rows["examples"]
    assert inputs_of({"rows": example}).shape == (1, len(SPEC.columns))


# The Open Inference Protocol

LENGTHS = {"FP32": "<f4", "FP64": "<f8", "INT32": "<i4", "INT64": "<i8", "BOOL": "?"}


def read(**values: tuple[str, list]) -> np.ndarray:
    """Read a row from tensors: all but the named ones hold usual values, as JSON."""
    usual = {name: [value] for name, value in ROW.items()}
    for name, (datatype, data) in values.items():
        (known,) = [tensor for tensor in input_tensors(SPEC, SETTINGS) if tensor.name == name]
        given = GivenTensor(name=name, shape=[len(data)], datatype=datatype)
        if datatype == "BYTES":
            usual[name] = read_values(given.model_copy(update={"data": data}), known, None, 3)
        else:
            content = memoryview(np.array(data, LENGTHS[datatype]).tobytes())
            usual[name] = read_values(given, known, content, 3)
    return read_tensors(usual, request_type(SPEC, SETTINGS), SPEC)


@pytest.mark.parametrize(
    ("column", "datatype", "value", "expected"),
    [
        ("größe", "FP64", 0.5, 0.5),
        ("größe", "INT64", 7, 7),
        ("größe", "FP32", math.nan, math.nan),
        ("species", "BYTES", "it's", 2),
        ("tagged", "BOOL", True, 1),
        ("tagged", "FP32", 0, 0),
        ("tagged", "FP32", math.nan, math.nan),
    ],
)
def test_a_tensor_has_a_value_for_each_row(column, datatype, value, expected):
    inputs = read(**{column: (datatype, [value])})
    np.testing.assert_array_equal(inputs[0, SPEC.names.index(column)], np.float32(expected))
    others = [place for place, name in enumerate(SPEC.names) if name != column]
    np.testing.assert_array_equal(inputs[0, others], SPEC.zeros(1)[0, others])


@pytest.mark.parametrize(
    ("column", "datatype", "value"),
    [
        ("self", "FP32", math.nan),
        ("self", "FP32", math.inf),
        ("self", "FP64", 1e39),
        ("species", "BYTES", ""),
        ("species", "BYTES", "dog"),
        ("tagged", "FP32", 2),
    ],
)
def test_a_value_of_a_tensor_is_refused_like_one_of_a_row(column, datatype, value):
    with pytest.raises(ValidationError) as refused:
        read(**{column: (datatype, [value])})
    assert refused.value.errors()[0]["loc"] == ("rows", 0, column)


def test_a_boolean_that_is_never_missing_is_no_number():
    always = InputSpec([{**SPEC.columns[-1], "missing": False}])
    assert input_tensors(always, SETTINGS)[0].datatypes == ["BOOL"]


# Files

LAST = InputSpec(SPEC.columns[-2:])


def test_the_rows_of_a_file_are_read():
    content = 'name;tagged;species\nx;true;cat\n"y;z";;it\'s\n'.encode("utf-8-sig")
    np.testing.assert_array_equal(read_file(content, LAST, SETTINGS), [[1, 1], [2, math.nan]])


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("\n", "empty"),
        ("species\ncat\n", "no column 'tagged'"),
        ("species,tagged\n", "no rows"),
        ("species,tagged\ncat\n", ":2 has 1 fields"),
        ("species,tagged\ncat,true\ndog,true\n", "file:3, column 'species' is 'dog'"),
        ("species,tagged\ncat,maybe\n", "file:2, column 'tagged' is 'maybe'"),
        ("species,tagged\n" + 4 * "cat,true\n", "more than 3 rows"),
        ("species,tagged" + 9999 * ",", "more than 4008 fields or lines"),
        ("species,tagged" + 9999 * "\n", "more than 4008 fields or lines"),
    ],
)
def test_a_file_that_does_not_fit_the_model_is_refused(content, named):
    with pytest.raises(UserError, match=named) as refused:
        read_file(content.encode(), LAST, SETTINGS)
    assert not isinstance(refused.value, UnknownFormatError)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n", b"PK\x03\x04\xff", b"\xff\xfea"])
def test_a_file_that_is_no_text_is_of_an_unknown_format(content):
    with pytest.raises(UnknownFormatError):
        read_file(content, LAST, SETTINGS)
