"""Reading picture files, in one way for training and for prediction, without PyTorch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from .. import UserError


def read_image(path: Path, shape: Sequence[int]) -> NDArray[np.uint8]:
    """Read one picture in the colours and the size that the network takes.

    Args:
        path: A file in any format that Pillow reads.
        shape: Channels (1: grey, 3: RGB), height and width in pixels.

    Returns:
        Pixels of shape (channels, height, width), 0 to 255.

    Raises:
        UserError: The file is missing or is no readable picture.
    """
    try:
        with Image.open(path) as picture:
            return to_pixels(picture, shape)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: not a readable picture ({reason})") from error


def to_pixels(picture: Image.Image, shape: Sequence[int]) -> NDArray[np.uint8]:
    """Turn an opened picture upright, and into the colours and the size that the network takes.

    Args:
        picture: Pillow reads its pixels only here: an error of a broken file comes from here.
        shape: Channels (1: grey, 3: RGB), height and width in pixels.

    Returns:
        Pixels of shape (channels, height, width), 0 to 255.
    """
    channels, height, width = shape
    picture = ImageOps.exif_transpose(picture)  # a camera stores how it was held
    if picture.mode.startswith("I;16"):  # convert() would clip 16 bits instead of scaling them
        picture = Image.fromarray((np.asarray(picture) // 257).astype(np.uint8))
    picture = picture.convert("L" if channels == 1 else "RGB")
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    pixels = np.asarray(picture, dtype=np.uint8)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)
