"""Reading picture files, in one way for training and for prediction, without PyTorch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from .. import UserError

# Of the files in a folder, those with these suffixes are pictures
SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
# The ways to bring a picture of another shape into the shape that the network takes
FITS = {
    "stretch": "each side on its own, which squeezes pictures of another shape",
    "pad": "the sides in proportion, with black bars where the picture ends",
    "crop": "the sides in proportion, without what is outside of the middle",
}


def read_image(path: Path, shape: Sequence[int], fit: str = "stretch") -> NDArray[np.uint8]:
    """Read one picture in the colours and the size that the network takes.

    Args:
        path: A file in any format that Pillow reads.
        shape: Channels (1: grey, 3: RGB), height and width in pixels.
        fit: One of `FITS`.

    Returns:
        Pixels of shape (channels, height, width), 0 to 255.

    Raises:
        UserError: The file is missing or is no readable picture.
    """
    try:
        with Image.open(path) as picture:
            return to_pixels(picture, shape, fit)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: not a readable picture ({reason})") from error


def to_pixels(
    picture: Image.Image, shape: Sequence[int], fit: str = "stretch"
) -> NDArray[np.uint8]:
    """Turn an opened picture upright, and into the colours and the size that the network takes.

    Args:
        picture: Pillow reads its pixels only here: an error of a broken file comes from here.
        shape: Channels (1: grey, 3: RGB), height and width in pixels.
        fit: One of `FITS`.

    Returns:
        Pixels of shape (channels, height, width), 0 to 255.
    """
    channels, height, width = shape
    picture = ImageOps.exif_transpose(picture)  # a camera stores how it was held
    if picture.mode.startswith("I;16"):  # convert() would clip 16 bits instead of scaling them
        picture = Image.fromarray((np.asarray(picture) // 257).astype(np.uint8))
    picture = picture.convert("L" if channels == 1 else "RGB")
    if picture.size != (width, height):
        picture = resize(picture, width, height, fit)
    pixels = np.asarray(picture, dtype=np.uint8)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def resize(picture: Image.Image, width: int, height: int, fit: str) -> Image.Image:
    """Bring a grey or RGB picture to a size in pixels, in one of `FITS`.

    Raises:
        UserError: There is no such `fit`.
    """
    check_fit(fit)
    bilinear = Image.Resampling.BILINEAR
    if fit == "stretch":
        return picture.resize((width, height), bilinear)
    if fit == "crop":
        return ImageOps.fit(picture, (width, height), bilinear)
    scale = min(width / picture.width, height / picture.height)
    inner = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    padded = Image.new(picture.mode, (width, height))
    corner = (width - inner[0]) // 2, (height - inner[1]) // 2
    padded.paste(picture.resize(inner, bilinear), corner)
    return padded


def check_fit(fit: str) -> None:
    """Refuse what is none of `FITS`.

    Raises:
        UserError: There is no such `fit`.
    """
    if fit not in FITS:
        raise UserError(f"fit is {fit!r}: choose one of {', '.join(FITS)}")
