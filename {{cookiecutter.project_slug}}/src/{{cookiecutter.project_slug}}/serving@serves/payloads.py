"""Bodies of requests and answers; a request that is wrong is refused before the model."""

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
MOST_ERRORS = 10  # in one answer

# In JSON, 7 and 7.0 are the same number
Pixel = Annotated[float, Field(ge=0, le=255, multiple_of=1, strict=True, allow_inf_nan=False)]


class PredictResponse(BaseModel):
    """One prediction for each image, in the order of the request."""

    predictions: list[Prediction]


class ModelInfo(BaseModel):
    """A description of the model."""

    name: str
    version: str = Field(description="Start of the SHA-256 of the model's file")
    classes: list[str]
    image_shape: list[int] = Field(description="Channels, height and width in pixels")
    fit: str = Field(description="How pictures are brought to that shape: stretch, pad or crop")
    metrics: dict[str, float] = Field(description="Metrics on the test split")
    commit: str | None = Field(description="Commit of the source that trained it")


class Problem(BaseModel):
    """The reason why there is no prediction."""

    detail: str


class Invalid(BaseModel):
    """The elements of a request that are wrong, each with the reason."""

    detail: list[dict[str, Any]]


class UnknownFormatError(UserError):
    """An uploaded file is neither PNG nor JPEG."""


def model_info(predictor: Predictor) -> ModelInfo:
    """Describe the model of a predictor."""
    return ModelInfo(
        name=PACKAGE,
        version=predictor.version,
        classes=predictor.classes,
        image_shape=predictor.image_shape,
        fit=predictor.fit,
        metrics=predictor.metrics,
        commit=predictor.commit,
    )


def request_type(image_shape: Sequence[int], max_images: int) -> type[BaseModel]:
    """Make the type of a request: `images`, as nested lists of one shape.

    Its errors name the wrong element, such as `images[0][0][3][2]`.

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


def first_errors(error: ValidationError) -> list[Any]:
    """List the wrong elements, at most `MOST_ERRORS` and without the input values."""
    return error.errors(include_url=False, include_input=False)[:MOST_ERRORS]


def decode_picture(
    content: bytes, image_shape: Sequence[int], fit: str, max_pixels: int
) -> NDArray[np.uint8]:
    """Read an uploaded PNG or JPEG file.

    Args:
        content: The file's bytes.
        image_shape: Channels, height and width that the model takes, the sides in pixels.
        fit: How the picture is brought to that shape, one of `FITS`.
        max_pixels: Largest width times height: a small file can hold a huge picture.

    Returns:
        A batch of one: pixels of shape (1, *image_shape), 0 to 255.

    Raises:
        UnknownFormatError: The file is neither PNG nor JPEG.
        UserError: The picture is broken or too large.
    """
    try:
        picture = Image.open(BytesIO(content), formats=("PNG", "JPEG"))
        if picture.width * picture.height <= max_pixels:
            return to_pixels(picture, image_shape, fit)[None]
    except UnidentifiedImageError as error:
        raise UnknownFormatError("the file is neither PNG nor JPEG") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"the file is no readable picture ({error})") from error
    raise UserError(f"the picture has {picture.width} x {picture.height} pixels, too many")
