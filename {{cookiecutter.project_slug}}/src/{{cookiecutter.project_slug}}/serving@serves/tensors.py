"""Tensors of the Open Inference Protocol: what the model takes, and the values in a request."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field

from .. import UserError

DTYPES = {"BOOL": "?", "UINT8": "u1", "INT32": "<i4", "INT64": "<i8", "FP32": "<f4", "FP64": "<f8"}

Size = Annotated[int, Field(ge=0, strict=True)]
Parameters = dict[str, bool | int | float | str]


@dataclass(frozen=True)
class Tensor:
    """An input of the model in the Open Inference Protocol.

    Attributes:
        name: Its name.
        datatypes: The datatypes that it can have; the first is the usual one.
        shape: The shape of a sample; empty for a single value.
        largest: The most bytes of a sample.
    """

    name: str
    datatypes: list[str]
    shape: list[int]
    largest: int


class GivenTensor(BaseModel):
    """A tensor: its values are `data`, or else `binary_data_size` bytes after the JSON part."""

    name: str
    shape: list[Size]
    datatype: str
    parameters: Parameters = {}
    data: list[Any] | None = None


def read_values(tensor: GivenTensor, known: Tensor, content: memoryview | None, most: int) -> Any:
    """Return the values of an input: an array (samples, *shape of one), or a flat list.

    Args:
        tensor: What the request says of it.
        known: What the model says of it.
        content: Its bytes; None if its values are in the JSON part.
        most: The most samples.

    Raises:
        UserError: They contradict each other.
    """
    if tensor.datatype not in known.datatypes:
        taken = " or ".join(known.datatypes)
        raise UserError(f"has the datatype {tensor.datatype!r:.20}, and can have {taken}")
    samples, *shape = tensor.shape or [0]
    if not 1 <= samples <= most or shape not in (known.shape, known.shape or [1]):
        taken = f"[n, {', '.join(map(str, known.shape))}]" if known.shape else "[n]"
        raise UserError(f"has the shape {tensor.shape!s:.80}, and can have {taken}, n <= {most}")
    count = samples * math.prod(known.shape)
    if (content is None) == (tensor.data is None):
        raise UserError("needs either data or binary_data_size")
    if content is None:
        values = flatten(tensor.data or [], shape)
    elif tensor.datatype == "BYTES":
        values = read_texts(content, count)
    else:
        dtype = np.dtype(DTYPES[tensor.datatype])
        if len(content) != count * dtype.itemsize:
            raise UserError(f"has {len(content)} bytes, and needs {count * dtype.itemsize}")
        return np.frombuffer(content, dtype).reshape(-1, *known.shape)
    if len(values) != count:
        raise UserError(f"has {len(values)} values, and needs {count}")
    return values


def flatten(data: list[Any], shape: Sequence[int]) -> list[Any]:
    """Return the values of nested lists; a flat list is returned as it is.

    Args:
        data: A list, whose elements may be lists and so on.
        shape: The lengths of the inner lists, from the outside to the inside.

    Raises:
        UserError: The inner lists have other lengths.
    """
    if data and not isinstance(data[0], list):
        return data
    for size in shape:
        if not all(isinstance(part, list) and len(part) == size for part in data):
            raise UserError("has data whose lists have other lengths than its shape")
        data = list(chain.from_iterable(data))
    return data


def read_texts(content: memoryview, count: int) -> list[str]:
    """Read texts, each of which comes after its length in bytes.

    Raises:
        UserError: They are not so many, or not in UTF-8.
    """
    texts, place = [], 0
    for _ in range(count):
        start = place + 4
        place = start + int.from_bytes(content[place:start], "little")
        try:
            texts.append(str(content[start:place], "utf-8"))
        except UnicodeDecodeError as error:
            raise UserError(f"has a text {len(texts)} that is not in UTF-8") from error
    if place != len(content):
        raise UserError("has bytes that are not as many texts, each after its length")
    return texts


def write_binary(values: Sequence[Any]) -> bytes:
    """Write numbers as FP32, and texts as BYTES, each after its length."""
    if not isinstance(values[0], str):
        return np.array(values, "<f4").tobytes()
    encoded = [value.encode() for value in values]
    return b"".join(struct.pack("<I", len(text)) + text for text in encoded)
