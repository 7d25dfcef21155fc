"""What comes in and goes out over HTTP, and what is refused before it reaches the model."""

from collections.abc import Sequence
from io import BytesIO
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, Field, ValidationError, create_model

from .. import UserError
from ..datasets.inputs import to_pixels
from ..inference.predictor import Prediction, Predictor

PACKAGE = __name__.partition(".")[0]
MOST_ERRORS = 10  # that one answer lists

# To JSON, 7 and 7.0 are the same integer
Pixel = Annotated[float, Field(ge=0, le=255, multiple_of=1, strict=True, allow_inf_nan=False)]


class PredictResponse(BaseModel):
    """One prediction for each image, in the order of the request."""

    predictions: list[Prediction]


class ModelInfo(BaseModel):
    """Which model answers."""

    name: str
    version: str = Field(description="Start of the file's SHA-256")
    classes: list[str]
    image_shape: list[int] = Field(description="Channels, height and width in pixels")
    metrics: dict[str, float] = Field(description="What the test split gave")
    commit: str | None = Field(description="The source that trained it")


class Problem(BaseModel):
    """Why a request was not answered."""

    detail: str


class Invalid(BaseModel):
    """Which elements of a request are wrong, and why."""

    detail: list[dict[str, Any]]


class UnknownFormatError(UserError):
    """An upload that is no picture in a format that is served."""


def describe(predictor: Predictor) -> ModelInfo:
    """Say which model answers."""
    return ModelInfo(
        name=PACKAGE,
        version=predictor.version,
        classes=predictor.classes,
        image_shape=predictor.image_shape,
        metrics=predictor.metrics,
        commit=predictor.commit,
    )


def request_model(image_shape: Sequence[int], max_images: int) -> type[BaseModel]:
    """Make the type of a request: `images`, as nested lists of one shape.

    Its errors name the element that is wrong, such as `images[0][0][3][2]`.

    Args:
        image_shape: Channels, height and width of an image, the sides in pixels.
        max_images: Most images in one request.
    """
    images: Any = Pixel
    for size in reversed(image_shape):
        images = Annotated[list[images], Field(min_length=size, max_length=size)]
    images = Annotated[list[images], Field(min_length=1, max_length=max_images)]
    example = np.zeros((1, *image_shape), dtype=int).tolist()
    return create_model("PredictRequest", images=(images, Field(examples=[example])))


def mistakes(error: ValidationError) -> list[Any]:
    """List the elements that are wrong, without what stood there and not all of very many."""
    return error.errors(include_url=False, include_input=False)[:MOST_ERRORS]


def decode_picture(
    content: bytes, image_shape: Sequence[int], max_pixels: int
) -> NDArray[np.uint8]:
    """Read an uploaded PNG or JPEG file.

    Args:
        content: The file's bytes.
        image_shape: Channels, height and width that the model takes, the sides in pixels.
        max_pixels: Refused above this width times height: a small file can hold a huge picture.

    Returns:
        A batch of one: pixels of shape (1, *image_shape), 0 to 255.

    Raises:
        UnknownFormatError: It is neither PNG nor JPEG.
        UserError: It is broken or too large.
    """
    try:
        picture = Image.open(BytesIO(content), formats=("PNG", "JPEG"))
        if picture.width * picture.height <= max_pixels:
            return to_pixels(picture, image_shape)[None]
    except UnidentifiedImageError:
        raise UnknownFormatError("the file is neither PNG nor JPEG") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"the file is no readable picture ({error})") from None
    raise UserError(f"the picture has {picture.width} x {picture.height} pixels, too many")
