"""Bodies of answers, and what is common to all requests."""

from typing import Any

from pydantic import BaseModel, Field, ValidationError, create_model

from .. import UserError
from ..inference.predictor import Predictor
from ..inference.target import Target
from .settings import Settings

PACKAGE = __name__.partition(".")[0]
VERSION = "1"  # of the endpoints; /model tells that of the model
MARKS = (b",", b"[", b"{")  # each stands before a value of a JSON body
MOST_VALUES = 400_000  # of one JSON body: to read them takes some 50 ms


class ModelInfo(BaseModel):
    """A description of the model."""

    name: str
    version: str = Field(description="Start of the SHA-256 of the model's file")
    classes: list[str]
    inputs: dict[str, Any] = Field(description="What a sample is")
    metrics: dict[str, float] = Field(description="Metrics on the test split")
    commit: str | None = Field(description="Commit of the source that trained it")


class Problem(BaseModel):
    """The reason why there is no prediction."""

    detail: str


class Invalid(BaseModel):
    """The elements of a request that are wrong, each with the reason."""

    detail: list[dict[str, Any]]


class Failure(BaseModel):
    """The reason why there is no prediction, where a protocol calls it an error."""

    error: str


class UnknownFormatError(UserError):
    """An uploaded file is not of a kind that is read."""


def response_type(target: Target) -> type[BaseModel]:
    """Make the type of an answer: one prediction for each sample, in the order of the request."""
    predictions: Any = list[target.prediction]  # type: ignore[name-defined]
    return create_model("PredictResponse", predictions=(predictions, ...))


def model_info(predictor: Predictor) -> ModelInfo:
    """Describe the model of a predictor."""
    return ModelInfo(
        name=PACKAGE,
        version=predictor.version,
        classes=predictor.classes,
        inputs=predictor.input_spec.summary(),
        metrics=predictor.metrics,
        commit=predictor.commit,
    )


def most_samples(values: int, settings: Settings) -> int:
    """Return how many samples a JSON body may hold.

    Args:
        values: How many numbers or texts a sample has.
        settings: `max_batch` is the most for a sample of any size.
    """
    return max(1, min(settings.max_batch, MOST_VALUES // values))


def has_room(waiting: int, samples: int, max_batch: int, max_queue: int) -> bool:
    """Say whether the queue takes a request: one with many samples leaves room for small ones.

    Args:
        waiting: The samples that wait.
        samples: Those of the request.
        max_batch: The most samples of a request; one with so many fits while the queue is less than
            half full.
        max_queue: The most samples in the queue.
    """
    room = max_queue * (1 - (samples - 1) / (2 * max_batch))
    return not waiting or waiting + samples <= room


def has_more_values(body: bytearray, most: int, strings: int) -> bool:
    """Say whether a JSON body holds more values than a request can, before it is parsed.

    To parse it takes hundreds of bytes of memory for each value, also for one that is refused then.

    Args:
        body: The body.
        most: The most values, keys not counted.
        strings: The most strings, keys counted.
    """
    if body.count(b'"') - body.count(rb"\"") > 2 * strings:
        return True
    if sum(map(body.count, MARKS)) <= most:
        return False
    plain = body.replace(rb"\\", b"").replace(rb"\"", b"")
    outside = plain.split(b'"')[::2]  # of strings
    return sum(part.count(mark) for part in outside for mark in MARKS) > most


def first_errors(error: ValidationError) -> list[Any]:
    """List the first wrong element, or those of its row, without the input values."""
    return error.errors(include_url=False, include_input=False)
