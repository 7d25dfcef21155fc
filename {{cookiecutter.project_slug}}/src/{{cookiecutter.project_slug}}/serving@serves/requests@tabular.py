"""Requests with rows of a table; one that is wrong is refused before the model."""

import math
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, FailFast, Field, create_model

from .. import UserError
from ..datasets.inputs import LARGEST, InputSpec
from ..datasets.rows import NoTextError, TableFile, select
from .payloads import UnknownFormatError, most_samples
from .settings import Settings
from .tensors import Tensor

# What /predict/file takes
FILE = "a CSV file in UTF-8, whose first line names the columns; it may have other columns too"
MOST_OTHERS = 1000  # columns of a file that the network does not take
ENDS = b",;\t|\r\n"  # of fields and of lines

# The datatypes of a column of numbers in the Open Inference Protocol
NUMBERS = ["FP32", "FP64", "INT32", "INT64"]
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST, strict=True, allow_inf_nan=False)]
Boolean = Annotated[bool, Field(strict=True)]


class Request(BaseModel):
    """What requests for all tables share: how they are described."""

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Describe a row in its place: a reference would lead nowhere in the API's document."""
        schema = super().model_json_schema(*arguments, **options)
        schema["properties"]["rows"]["items"] = schema.pop("$defs")["Row"]
        return schema


def request_type(spec: InputSpec, settings: Settings) -> type[BaseModel]:
    """Make the type of a request: `rows`, each an object with a value for each column.

    Its errors name the wrong element, such as `rows[3].species`.

    Args:
        spec: The columns that the network takes.
        settings: `max_batch` is the most rows in one request.
    """
    # A column may have any name, so it is the alias of a field that has a harmless one
    fields: dict[str, Any] = {}
    for position, column in enumerate(spec.columns):
        kind: Any = {"number": Number, "boolean": Boolean}.get(column["kind"])
        if column["kind"] == "category":
            kind = Literal[tuple(column["categories"])]
        if column["missing"]:
            kind = kind | None
        name = column["name"]
        fields[f"column_{position}"] = (kind, Field(alias=name, title=name))
    row: Any = create_model("Row", __config__=ConfigDict(extra="forbid"), **fields)
    most = most_samples(len(spec.columns), settings)
    rows = Annotated[list[row], Field(min_length=1, max_length=most), FailFast()]
    field = rows, Field(examples=[[spec.typical()]])
    return create_model("PredictRequest", __base__=Request, rows=field)


def largest_json(spec: InputSpec, settings: Settings) -> int:
    """Return the bytes of the largest JSON body that can be a request.

    Any character may be escaped, which takes up to twelve bytes. A value comes with its column's
    name, quotes, a comma, a line break and an indentation.
    """
    row = 200
    for column in spec.columns:
        longest = max(map(len, column.get("categories") or [""]))
        row += 12 * (len(column["name"]) + longest) + 100
    return 10_000 + row * most_samples(len(spec.columns), settings)


def most_values(spec: InputSpec, settings: Settings) -> tuple[int, int]:
    """Return the most values and the most strings that the JSON body of a request can hold."""
    columns = len(spec.columns)
    most = 100 + (columns + 2) * most_samples(columns, settings)
    return most, 2 * most


def to_inputs(asked: Any, spec: InputSpec) -> NDArray[np.float32]:
    """Encode the rows of a request that was checked: float32 numbers (rows, columns)."""
    names = spec.names
    fields = [f"column_{position}" for position in range(len(names))]
    rows = [[getattr(row, field) for field in fields] for row in asked.rows]
    return spec.encode([dict(zip(names, row, strict=True)) for row in rows])


def input_tensors(spec: InputSpec, settings: Settings) -> list[Tensor]:
    """Describe the inputs of the model in the Open Inference Protocol: one for each column.

    A boolean that may be missing can be a number too, as the protocol's BOOL has no missing values.
    """
    found = []
    for column in spec.columns:
        datatypes, largest = list(NUMBERS), 8
        if column["kind"] == "category":
            datatypes, largest = ["BYTES"], 4 + 4 * max(map(len, column["categories"]))
        elif column["kind"] == "boolean":
            datatypes = ["BOOL", *NUMBERS[:2]] if column["missing"] else ["BOOL"]
        found.append(Tensor(column["name"], datatypes, [], largest))
    return found


def read_tensors(
    tensors: Mapping[str, Any], request_type: type[BaseModel], spec: InputSpec
) -> NDArray[np.float32]:
    """Encode the rows of tensors: float32 numbers (rows, columns).

    Args:
        tensors: The values of each column by its name: an array, or a list.
        request_type: What the same rows would be as a request.
        spec: The columns that the network takes.

    Raises:
        ValidationError: They can't be predicted.
    """
    columns = []
    for column in spec.columns:
        values = tensors[column["name"]]
        values = values.tolist() if isinstance(values, np.ndarray) else values
        columns.append([to_value(value, column["kind"]) for value in values])
    rows = [dict(zip(spec.names, row, strict=True)) for row in zip(*columns, strict=True)]
    return to_inputs(request_type.model_validate({"rows": rows}), spec)


def to_value(value: Any, kind: str) -> Any:
    """Return what stands for a value of a tensor in a request; None where it is missing.

    A missing number or boolean is NaN, a missing category the empty text.
    """
    if isinstance(value, float) and math.isnan(value):
        return None
    if kind == "category" and value == "":
        return None
    if kind == "boolean" and isinstance(value, float) and value in {0, 1}:
        return bool(value)
    return value


def read_file(content: bytes, spec: InputSpec, settings: Settings) -> NDArray[np.float32]:
    """Read an uploaded CSV file.

    Args:
        content: The file's bytes.
        spec: The columns that the network takes; others are left out.
        settings: `max_batch` is the most rows in one file.

    Returns:
        Rows of shape (rows, columns).

    Raises:
        UnknownFormatError: The file is empty, or no text.
        UserError: It is no table, lacks a column, or has wrong values, no rows, or too many.
    """
    if not content:
        raise UnknownFormatError("the file is empty")
    most = (settings.max_batch + 1) * (len(spec.columns) + MOST_OTHERS)
    if max(map(content.count, ENDS)) > most:  # each would become an object in memory
        raise UserError(f"the file has more than {most} fields or lines")
    names: list[str] = []
    rows: list[dict[str, str]] = []
    try:
        for name, row in select(TableFile(Path("file"), BytesIO(content)), spec):
            if len(rows) == settings.max_batch:
                raise UserError(f"the file has more than {settings.max_batch} rows")
            names.append(name)
            rows.append(row)
    except NoTextError as error:
        raise UnknownFormatError(str(error)) from error
    if not rows:
        raise UserError("the file has no rows below its header")
    return spec.encode(rows, names)
