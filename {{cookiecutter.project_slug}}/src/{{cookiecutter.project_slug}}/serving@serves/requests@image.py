"""Requests with images; one that is wrong is refused before the model."""

import math
from collections.abc import Mapping
from io import BytesIO
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, FailFast, Field, create_model

from .. import UserError
from ..datasets.inputs import InputSpec, to_pixels
from ..inference.model import one_line
from .payloads import UnknownFormatError, most_samples
from .settings import Settings
from .tensors import Tensor

# What /predict/file takes
FILE = "a picture of any size, PNG or JPEG"
LONGEST_SIDE = 20_000  # pixels
MOST_CHUNKS = 5000  # of a PNG file
# In JSON, 7 and 7.0 are the same number
Pixel = Annotated[float, Field(ge=0, le=255, multiple_of=1, strict=True, allow_inf_nan=False)]


def request_type(spec: InputSpec, settings: Settings) -> type[BaseModel]:
    """Make the type of a request: `images`, as nested lists of one shape.

    Its error names the first wrong element, such as `images[0][0][3][2]`.

    Args:
        spec: The images that the network takes.
        settings: `max_batch` is the most images in one request.
    """
    images: Any = Pixel
    for size in reversed(spec.image_shape):
        images = Annotated[list[images], Field(min_length=size, max_length=size), FailFast()]
    most = most_samples(math.prod(spec.image_shape), settings)
    images = Annotated[list[images], Field(min_length=1, max_length=most), FailFast()]
    example = spec.zeros(1).tolist()
    return create_model("PredictRequest", images=(images, Field(examples=[example])))


def largest_json(spec: InputSpec, settings: Settings) -> int:
    """Return the bytes of the largest JSON body that can be a request.

    A pixel is a number such as 255.0, a comma, a line break and an indentation.
    """
    values = math.prod(spec.image_shape)
    return 10_000 + 40 * values * most_samples(values, settings)


def most_values(spec: InputSpec, settings: Settings) -> tuple[int, int]:
    """Return the most values and the most strings that the JSON body of a request can hold."""
    values = math.prod(spec.image_shape)
    return 100 + 2 * values * most_samples(values, settings), 100


def to_inputs(asked: Any, spec: InputSpec) -> NDArray[np.uint8]:
    """Take the images out of a request that was checked: pixels (images, *spec.shape)."""
    return np.array(asked.images, np.uint8)


def input_tensors(spec: InputSpec, settings: Settings) -> list[Tensor]:
    """Describe the input of the model in the Open Inference Protocol."""
    return [Tensor("images", ["UINT8"], spec.image_shape, math.prod(spec.image_shape))]


def read_tensors(
    tensors: Mapping[str, Any], request_type: type[BaseModel], spec: InputSpec
) -> NDArray[np.uint8]:
    """Take the images out of a tensor: pixels (images, *spec.shape).

    Args:
        tensors: `images`, as an array of this shape, or as a flat list that came as JSON.
        request_type: What the same images would be as a request.
        spec: The images that the network takes.

    Raises:
        ValidationError: They can't be predicted.
    """
    images: Any = tensors["images"]
    if isinstance(images, np.ndarray):
        return images
    for size in reversed(spec.image_shape):
        images = [images[start : start + size] for start in range(0, len(images), size)]
    return to_inputs(request_type.model_validate({"images": images}), spec)


def read_file(content: bytes, spec: InputSpec, settings: Settings) -> NDArray[np.uint8]:
    """Read an uploaded PNG or JPEG file.

    Args:
        content: The file's bytes.
        spec: The images that the network takes.
        settings: `max_pixels` is the largest width times height: a small file can hold a huge
            picture. No side may be longer than `LONGEST_SIDE`.

    Returns:
        A batch of one: pixels of shape (1, *spec.shape), 0 to 255.

    Raises:
        UnknownFormatError: The file is neither PNG nor JPEG.
        UserError: The picture is broken or too large.
    """
    if content.startswith(b"\x89PNG"):
        check_chunks(content)
    try:
        picture = Image.open(BytesIO(content), formats=("PNG", "JPEG"))
        check_size(picture, settings)
        return to_pixels(picture, spec)[None]
    except UserError:
        raise
    except UnidentifiedImageError as error:
        raise UnknownFormatError("the file is neither PNG nor JPEG") from error
    except Exception as error:  # Pillow raises errors of any class for broken files
        raise UserError(f"the file is no readable picture ({one_line(error)})") from error


def check_chunks(content: bytes) -> None:
    """Refuse a PNG file that Pillow would read although it ends early, or only in a long time.

    Raises:
        UserError: It has no end, or too many parts.
    """
    place = 8
    for _ in range(MOST_CHUNKS):
        length, kind = int.from_bytes(content[place : place + 4]), content[place + 4 : place + 8]
        place += 12 + length
        if place > len(content):
            raise UserError("the picture ends early")
        if kind == b"IEND":
            return
    raise UserError(f"the picture has more than {MOST_CHUNKS} parts")


def check_size(picture: Image.Image, settings: Settings) -> None:
    """Refuse an opened picture before its pixels are read, if these need much memory.

    Raises:
        UserError: It is too large.
    """
    size = f"the picture has {picture.width} x {picture.height} pixels"
    if max(picture.size) > LONGEST_SIDE:
        raise UserError(f"{size}; each side can have {LONGEST_SIDE}")
    if picture.width * picture.height > settings.max_pixels:
        raise UserError(f"{size}, more than SERVE_MAX_PIXELS={settings.max_pixels} in all")
