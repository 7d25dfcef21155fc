"""From a picture to the network's input, in one way for training and for prediction."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from .. import UserError

SUFFIXES = {
    *(".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".pbm", ".pgm"),
    *(".png", ".ppm", ".tif", ".tiff", ".webp"),
}
# The ways to bring a picture of another shape into the shape that the network takes
FITS = {
    "stretch": "each side on its own, which squeezes pictures of another shape",
    "pad": "the sides in proportion, with black bars where the picture ends",
    "crop": "the sides in proportion, without what is outside of the middle",
}

# What turns a picture upright, by the orientation that Exif notes
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Up to twice the size that Pillow warns of, pictures are read; above, it raises an error
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Notes of a camera that can't be read: the pixels can
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")


@dataclass(frozen=True)
class InputSpec:
    """The images that a network takes: uint8 pixels (channels, height, width), 0 to 255.

    Attributes:
        image_shape: Channels (1: grey, 3: RGB), height and width in pixels.
        fit: How pictures of another shape are brought to that, one of `FITS`.

    Raises:
        UserError: There is no such `fit`.
    """

    image_shape: list[int]
    fit: str = "stretch"

    dtype: ClassVar[type[np.generic]] = np.uint8
    # Axes of an input that may have another length in each batch
    varying: ClassVar[tuple[int, ...]] = ()

    def __post_init__(self) -> None:
        check_fit(self.fit)

    @property
    def shape(self) -> list[int]:
        """Channels, height and width in pixels."""
        return self.image_shape

    def network_options(self) -> dict[str, Any]:
        """Return what the constructor of a network may ask for, by the names of its parameters."""
        return {"image_shape": self.image_shape}

    def same_inputs(self, other: "InputSpec") -> bool:
        """Say whether inputs that are made for one of the two mean the same to the other."""
        return self == other

    def zeros(self, count: int) -> NDArray[np.uint8]:
        """Make a batch of black images, such as for a first run of a network."""
        return np.zeros((count, *self.image_shape), np.uint8)

    def trim(self, inputs: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut off what is padding in all samples of a batch: images have none."""
        return inputs

    def summary(self) -> dict[str, Any]:
        """Describe the inputs in a few plain values."""
        return {"image_shape": self.image_shape, "fit": self.fit}

    def preprocessing(self) -> dict[str, str]:
        """Describe how a picture becomes an input, for people who do it without this project."""
        return {
            "mode": "L for 1 channel, RGB for 3",
            "transparency": "on white",
            "resize": "bilinear, to image_shape, as fit says",
            "fit": FITS[self.fit],
            "input": "uint8, NCHW, not scaled: the network does that",
        }

    def __str__(self) -> str:
        return f"{' x '.join(map(str, self.image_shape))} pixels"


def read_image(path: Path, spec: InputSpec) -> NDArray[np.uint8]:
    """Read one picture in the colours and the size that the network takes.

    Args:
        path: A file in any format that Pillow reads.
        spec: The images that the network takes.

    Returns:
        Pixels of shape (channels, height, width), 0 to 255.

    Raises:
        UserError: The file is missing or is no readable picture, or the meaning of its pixels is
            not known.
    """
    try:
        with Image.open(path) as picture:
            return to_pixels(picture, spec)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    except UnidentifiedImageError as error:
        raise UserError(f"{path}: not a readable picture (no format that Pillow knows)") from error
    except Image.DecompressionBombError as error:
        limit = f"{2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f} million pixels"
        raise UserError(f"{path}: more than {limit}: make the picture smaller") from error
    except Exception as error:  # Pillow's readers raise errors of any class for broken files
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path}: not a readable picture ({reason})") from error


def to_pixels(picture: Image.Image, spec: InputSpec) -> NDArray[np.uint8]:
    """Turn an opened picture upright, and into the colours and the size that the network takes.

    An animation gives its first picture. What is transparent shows a white ground. Pixels of more
    than 8 bits are scaled as `to_8_bits` says.

    Args:
        picture: Pillow reads its pixels only here: an error of a broken file comes from here.
        spec: The images that the network takes.

    Returns:
        Pixels of shape (channels, height, width), 0 to 255.

    Raises:
        UserError: The meaning of the pixels is not known.
    """
    channels, height, width = spec.image_shape
    upright = turn_upright(picture)
    if upright.mode == "F" or upright.mode.startswith("I"):
        upright = to_8_bits(upright, white_of(picture))
    elif upright.has_transparency_data:
        if upright.mode == "La":
            upright = upright.convert("LA")  # the only mode that Pillow makes of it
        ground = Image.new("RGBA", upright.size, "white")
        upright = Image.alpha_composite(ground, upright.convert("RGBA"))
    elif upright.mode == "LAB":
        upright = upright.convert("RGB")  # Pillow makes no grey of it
    if upright.mode != (mode := "L" if channels == 1 else "RGB"):
        upright = upright.convert(mode)
    if upright.size != (width, height):
        upright = resize(upright, width, height, spec.fit)
    pixels = np.asarray(upright, dtype=np.uint8)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def turn_upright(picture: Image.Image) -> Image.Image:
    """Turn a picture as it was held: a camera notes it beside the pixels.

    A note that can't be read counts as none, as the pixels can.
    """
    picture.load()
    try:
        turn = TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - Pillow raises errors of many classes for broken notes
        return picture
    return picture if turn is None else picture.transpose(turn)


def white_of(picture: Image.Image) -> int:
    """Return the value of white in an opened grey picture of more than 8 bits; black is 0.

    Raises:
        UserError: Its format does not say.
    """
    if picture.mode.startswith("I;16"):
        bits = getattr(picture, "tag_v2", {}).get(258, (16,))[0]  # a TIFF may have 12
        return int(2**bits - 1)
    if picture.mode == "F":
        return 1  # the only convention for floats; `to_8_bits` refuses other values
    if picture.format == "PPM":
        return 65535  # Pillow scales to it
    raise UserError("the range of its 32-bit pixels is not known: save it with 8 or 16 bits")


def to_8_bits(picture: Image.Image, white: int) -> Image.Image:
    """Scale a grey picture of more than 8 bits from 0 to `white` to 0 to 255.

    Convert would clip it instead.

    Raises:
        UserError: Pixels are not between 0 and `white`.
    """
    values = np.asarray(picture)
    if not (values.min() >= 0 and values.max() <= white):  # NaN is neither
        raise UserError(f"its pixels are not all from 0 to {white}: save it with 8 or 16 bits")
    pixels = np.rint(values * (255 / white)).astype(np.uint8)
    if "transparency" in picture.info:  # the value that stands for a transparent pixel
        pixels[values == picture.info["transparency"]] = 255
    return Image.fromarray(pixels)


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


def check_shape(shape: Sequence[int]) -> None:
    """Refuse what is no shape of images.

    Raises:
        UserError: It is none.
    """
    whole = all(isinstance(side, int) and side > 0 for side in shape)
    if not whole or len(shape) != 3 or shape[0] not in {1, 3}:
        text = ", ".join(str(side) for side in shape)
        raise UserError(
            f"data.image_shape is [{text}]: give channels (1 or 3), height and width in pixels"
        )
