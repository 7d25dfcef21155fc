"""Requests with texts; one that is wrong is refused before the model."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, FailFast, Field, create_model
from pydantic_core import PydanticCustomError

from .. import UserError
from ..datasets.inputs import InputSpec, clean
from .payloads import UnknownFormatError
from .settings import Settings
from .tensors import Tensor

# What /predict/file takes
FILE = "texts in UTF-8, one a line"
# What a text has at least one of: no white space, and no control character
LETTER = r"[^\s\x00-\x1f\x7f-\x9f]"


def request_type(spec: InputSpec, settings: Settings) -> type[BaseModel]:
    """Make the type of a request: `texts`, as a list.

    Its errors name the wrong element, such as `texts[3]`.

    Args:
        spec: The texts that the network takes.
        settings: `max_batch` is the most texts in one request, `max_characters` the longest one.
    """
    one = Field(
        min_length=1,
        max_length=settings.max_characters,
        strict=True,
        json_schema_extra={"pattern": LETTER},  # for the document: `cleaned` names the reason
    )
    texts: Any = Annotated[str, one, AfterValidator(cleaned)]
    texts = Annotated[list[texts], Field(min_length=1, max_length=settings.max_batch), FailFast()]
    return create_model("PredictRequest", texts=(texts, Field(examples=[["A text to classify"]])))


def cleaned(text: str) -> str:
    """Bring a text into the form that networks see.

    Raises:
        PydanticCustomError: It is no text that a network can use.
    """
    try:
        return clean(text)
    except UserError as error:
        raise PydanticCustomError("text", str(error)) from error


def largest_json(spec: InputSpec, settings: Settings) -> int:
    """Return the bytes of the largest JSON body that can be a request.

    Any character may be escaped, which takes up to twelve bytes.
    """
    return 10_000 + settings.max_batch * (12 * settings.max_characters + 100)


def most_values(spec: InputSpec, settings: Settings) -> tuple[int, int]:
    """Return the most values and the most strings that the JSON body of a request can hold."""
    return 100 + settings.max_batch, 100 + settings.max_batch


def to_inputs(asked: Any, spec: InputSpec) -> NDArray[np.int32]:
    """Encode the texts of a request that was checked: shape (texts, length)."""
    return spec.encode(asked.texts)


def input_tensors(spec: InputSpec, settings: Settings) -> list[Tensor]:
    """Describe the input of the model in the Open Inference Protocol."""
    return [Tensor("texts", ["BYTES"], [], 4 + 4 * settings.max_characters)]


def read_tensors(
    tensors: Mapping[str, Any], request_type: type[BaseModel], spec: InputSpec
) -> NDArray[np.int32]:
    """Encode the texts of a tensor: shape (texts, length).

    Args:
        tensors: `texts`, as a list.
        request_type: What the same texts would be as a request.
        spec: The texts that the network takes.

    Raises:
        ValidationError: They can't be predicted.
    """
    return to_inputs(request_type.model_validate({"texts": tensors["texts"]}), spec)


def read_file(content: bytes, spec: InputSpec, settings: Settings) -> NDArray[np.int32]:
    """Read an uploaded file with one text a line; empty lines are no texts.

    Args:
        content: The file's bytes.
        spec: The texts that the network takes.
        settings: `max_batch` is the most texts, `max_characters` the longest one.

    Returns:
        A batch of shape (texts, length).

    Raises:
        UnknownFormatError: The file is not in UTF-8, or holds no texts.
        UserError: It holds too many texts, or one is too long.
    """
    most_lines = 1000 + 10 * settings.max_batch  # empty ones too
    if content.count(b"\n") > most_lines:
        raise UserError(f"the file has more than {most_lines} lines")
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise UnknownFormatError(f"the file is no UTF-8 from byte {error.start + 1} on") from error
    texts = [line for line in lines if line.strip()]
    if not texts:
        raise UnknownFormatError("the file holds no texts")
    if len(texts) > settings.max_batch:
        raise UserError(f"the file holds {len(texts)} texts, more than {settings.max_batch}")
    for number, line in enumerate(lines, 1):
        if len(line) > settings.max_characters:
            raise UserError(f"line {number} has more than {settings.max_characters} characters")
    try:
        return spec.encode(texts)
    except UserError as error:
        raise UserError(f"the file can't be used: {error}") from error
