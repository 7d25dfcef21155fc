import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.inputs import read_image


@pytest.mark.parametrize(
    ("mode", "grey"),
    [("L", 128), ("LA", (128, 255)), ("P", 0), ("I;16", 128 * 257), ("RGBA", (128, 128, 128, 255))],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_grey_is_grey_in_every_picture_mode(mode, grey, channels):
    picture = Image.new(mode, (8, 8), grey)
    if mode == "P":
        picture.putpalette([128] * 768)
    picture.save("grey.png")
    pixels = read_image(Path("grey.png"), (channels, 4, 6))
    assert pixels.shape == (channels, 4, 6)
    assert pixels.dtype == np.uint8
    assert (pixels == 128).all()


def test_photographs_are_turned_upright():
    photo = Image.new("L", (8, 8))
    photo.paste(255, (0, 0, 8, 4))  # the upper half is white
    exif = Image.Exif()
    exif[0x0112] = 3  # orientation: taken with the camera upside down
    photo.save("upside_down.png", exif=exif)
    pixels = read_image(Path("upside_down.png"), (1, 8, 8))
    assert (pixels[0, :4] == 0).all()
    assert (pixels[0, 4:] == 255).all()


@pytest.mark.parametrize("content", [None, b"", b"not a picture"])
def test_a_file_that_is_no_picture_is_named_in_one_line(content):
    if content is not None:
        Path("some.png").write_bytes(content)
    with pytest.raises(UserError, match=r"some\.png") as error:
        read_image(Path("some.png"), (1, 8, 8))
    assert len(str(error.value).splitlines()) == 1


def test_pictures_are_read_without_torch():
    package = Path(sys.modules[UserError.__module__].__file__).parent
    script = f"import sys, {package.name}.datasets.inputs; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stdout.split())
    assert "PIL" in imported
    assert not imported & {"torch", "pytorch_lightning", "sklearn", "tqdm"}
