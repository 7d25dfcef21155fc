import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.inputs import FITS, InputSpec, read_image, to_pixels

PACKAGE = Path(sys.modules[UserError.__module__].__file__).parent


def run(script: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=check,
    )


def save(mode: str, value: object, name: str = "some.tif", **options: object) -> Path:
    """Write a picture of 8 x 8 pixels of one value."""
    picture = Image.new(mode, (8, 8), value)
    if mode in {"P", "PA"}:
        picture.putpalette([128] * 768)
    picture.save(name, **options)
    return Path(name)


@pytest.mark.parametrize(
    ("name", "mode", "value", "expected"),
    [
        ("grey.png", "1", 1, 255),
        ("grey.png", "L", 128, 128),
        ("grey.png", "P", 0, 128),
        ("grey.png", "RGB", (128, 128, 128), 128),
        ("grey.gif", "L", 128, 128),
        ("grey.pgm", "L", 128, 128),
        # Opaque, half transparent and transparent: on a white ground
        ("grey.png", "LA", (128, 255), 128),
        ("grey.png", "LA", (0, 127), 128),
        ("grey.png", "LA", (0, 0), 255),
        ("grey.tif", "PA", (0, 0), 255),
        ("grey.tif", "RGBA", (128, 128, 128, 255), 128),
        ("grey.webp", "RGBA", (0, 0, 0, 0), 255),
        ("grey.png", "RGBA", (0, 0, 0, 127), 128),
        # Other colours
        ("grey.jpg", "CMYK", (0, 0, 0, 127), 128),
        ("grey.jpg", "YCbCr", (128, 128, 128), 128),
        ("grey.tif", "LAB", (255, 128, 128), 255),
        ("grey.tif", "LAB", (0, 128, 128), 0),
        # More than 8 bits
        ("grey.png", "I;16", 128 * 257, 128),
        ("grey.png", "I;16", 65535, 255),
        ("grey.png", "I;16", 300, 1),
        ("grey.tif", "I;16", 128 * 257, 128),
        ("grey.tif", "I;16B", 128 * 257, 128),
        ("grey.tif", "F", 0.5, 128),
        ("grey.tif", "F", 1.0, 255),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_of_any_mode_keeps_its_value(name, mode, value, expected, channels):
    pixels = read_image(save(mode, value, name), InputSpec([channels, 4, 6]))
    assert pixels.shape == (channels, 4, 6)
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels, expected, atol=1)


@pytest.mark.parametrize("mode", ["HSV", "La", "RGBa"])
def test_a_mode_that_only_memory_has_keeps_its_value_too(mode):
    picture = Image.new(mode, (8, 8), {"HSV": (0, 0, 128)}.get(mode, 0))
    assert (to_pixels(picture, InputSpec([1, 8, 8])) == (128 if mode == "HSV" else 255)).all()


@pytest.mark.parametrize(
    ("mode", "color"), [("1", 0), ("L", 7), ("P", 0), ("RGB", (1, 2, 3)), ("I;16", 7)]
)
def test_a_colour_that_stands_for_transparency_is_white(mode, color):
    path = save(mode, color, "some.png", transparency=color)
    assert (read_image(path, InputSpec([1, 8, 8])) == 255).all()


def test_grey_of_12_bits_is_scaled():
    pixels = bytes([0x80, 0x08, 0x00]) * 32  # two pixels of 0x800 in three bytes
    tags = {256: 8, 257: 8, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 8, 279: len(pixels)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    header = b"II*\0" + struct.pack("<I", 8 + len(pixels))
    table = struct.pack("<H", len(tags)) + entries + bytes(4)
    Path("some.tif").write_bytes(header + pixels + table)
    assert (read_image(Path("some.tif"), InputSpec([1, 8, 8])) == 128).all()


def test_a_grey_map_of_16_bits_is_scaled():
    Path("some.pgm").write_bytes(b"P5 8 8 4095\n" + struct.pack(">H", 2048) * 64)
    assert (read_image(Path("some.pgm"), InputSpec([1, 8, 8])) == 128).all()


@pytest.mark.parametrize(
    ("mode", "value"), [("I", 70000), ("I", -1), ("I", 7), ("F", 255.0), ("F", float("nan"))]
)
def test_pixels_of_an_unknown_range_are_refused_with_a_remedy(mode, value):
    with pytest.raises(UserError, match=r"^some\.tif: .*: save it with 8 or 16 bits$"):
        read_image(save(mode, value), InputSpec([1, 8, 8]))


@pytest.mark.parametrize("name", ["some.gif", "some.webp", "some.png"])
def test_an_animation_gives_its_first_picture(name):
    first, second = (Image.new("RGB", (8, 8), color) for color in ("red", "blue"))
    first.save(name, save_all=True, append_images=[second], lossless=True)
    assert read_image(Path(name), InputSpec([3, 8, 8]))[:, 0, 0].tolist() == [255, 0, 0]


# Four columns of one value each, in a picture that is twice as wide as high
COLUMNS = np.repeat(np.array([[0, 80, 160, 240]], np.uint8), 16, axis=1).repeat(32, axis=0)


@pytest.mark.parametrize(
    ("fit", "rows"),
    [
        ("stretch", [[0, 80, 160, 240]] * 4),
        ("pad", [[0] * 4, [0, 80, 160, 240], [0, 80, 160, 240], [0] * 4]),
        ("crop", [[80, 80, 160, 160]] * 4),
    ],
)
@pytest.mark.parametrize("turned", [True, False])
def test_a_wide_or_high_picture_is_fitted(fit, rows, turned):
    picture = Image.fromarray(COLUMNS.T if turned else COLUMNS)
    centres = to_pixels(picture, InputSpec([1, 64, 64], fit))[0, 8::16, 8::16]
    np.testing.assert_array_equal(centres.T if turned else centres, rows)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (1, 1), (2, 3)])
def test_a_picture_of_any_shape_can_be_fitted(fit, size):
    pixels = to_pixels(Image.new("RGB", size, "white"), InputSpec([3, 5, 7], fit))
    assert pixels.shape == (3, 5, 7)
    assert pixels.max() == 255


def test_a_fit_that_does_not_exist_is_named():
    with pytest.raises(UserError, match=r"^fit is 'squeeze': choose one of stretch, pad, crop$"):
        InputSpec([1, 8, 8], "squeeze")


def test_photographs_are_turned_upright():
    photo = Image.new("L", (8, 8))
    photo.paste(255, (0, 0, 8, 4))  # the upper half is white
    exif = Image.Exif()
    exif[0x0112] = 3  # orientation: taken with the camera upside down
    photo.save("upside_down.png", exif=exif)
    pixels = read_image(Path("upside_down.png"), InputSpec([1, 8, 8]))
    assert (pixels[0, :4] == 0).all()
    assert (pixels[0, 4:] == 255).all()


@pytest.mark.parametrize("content", [None, b"", b"not a picture"])
def test_a_file_that_is_no_picture_is_named_in_one_line(content):
    if content is not None:
        Path("some.png").write_bytes(content)
    with pytest.raises(UserError, match=r"some\.png") as error:
        read_image(Path("some.png"), InputSpec([1, 8, 8]))
    assert len(str(error.value).splitlines()) == 1


def test_huge_pictures_are_read_up_to_a_limit_that_is_told_in_one_line():
    script = f"""
import warnings
warnings.simplefilter("always")
from pathlib import Path
from PIL import Image
from {PACKAGE.name}.datasets.inputs import FITS, InputSpec, read_image, to_pixels
Image.MAX_IMAGE_PIXELS = 60
Image.new("L", (8, 8), 7).save("large.png")
Image.new("L", (11, 11)).save("huge.png")
print(read_image(Path("large.png"), InputSpec([1, 8, 8])).max())
read_image(Path("huge.png"), InputSpec([1, 8, 8]))
"""
    done = run(script, check=False)
    assert done.stdout == "7\n"
    assert "Warning" not in done.stderr
    assert "huge.png: more than 0 million pixels: make" in done.stderr.splitlines()[-1]


def test_pictures_are_read_without_torch():
    done = run(f"import sys, {PACKAGE.name}.datasets.inputs; print(*sys.modules)")
    imported = set(done.stdout.split())
    assert "PIL" in imported
    assert not imported & {"torch", "pytorch_lightning", "sklearn", "tqdm"}
