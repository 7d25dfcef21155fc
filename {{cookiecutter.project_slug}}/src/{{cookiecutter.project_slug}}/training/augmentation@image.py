"""Random changes of training images, a batch at a time and on the device where it is."""

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import UserError
from ..datasets.inputs import InputSpec


class Augmentation:
    """Changes each image of a batch at random: flips, turns, shifts and recolours it.

    The draws come from PyTorch's generator on the CPU, which `seed` sets.

    Args:
        spec: What the inputs are; images of all shapes are changed alike.
        flip: Probability that an image is mirrored, left to right, 0 to 1.
        rotate: Largest angle, in degrees, to either side.
        crop: Largest shift, as a share of height and of width, 0 to 1. What leaves the image is cut
            off; the other side is padded with the pixels of its edge.
        brightness: Largest change of all pixels, as a share of the full scale, 0 to 1.
        contrast: Largest change of the distance of each pixel from the image's mean, as a share of
            that distance, 0 to 1.

    Raises:
        UserError: A value is out of its range.
    """

    def __init__(
        self,
        spec: InputSpec,
        flip: float = 0.0,
        rotate: float = 0.0,
        crop: float = 0.0,
        brightness: float = 0.0,
        contrast: float = 0.0,
    ) -> None:
        given = {"flip": flip, "rotate": rotate, "crop": crop}
        given |= {"brightness": brightness, "contrast": contrast}
        for name, value in given.items():
            most = 180 if name == "rotate" else 1
            if not (isinstance(value, int | float) and 0 <= value <= most):
                raise UserError(f"model.augmentation.{name} is {value!r}: it goes from 0 to {most}")
        self.flip, self.rotate, self.crop = flip, rotate, crop
        self.brightness, self.contrast = brightness, contrast

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return changed copies of uint8 images (batch, channels, height, width), 0 to 255."""
        count, _, height, width = inputs.shape
        pixels = inputs.float()
        if self.flip or self.rotate or self.crop:
            pixels = move(
                pixels,
                mirrored=torch.rand(count) < self.flip,
                degrees=_draw(count, self.rotate),
                right=_draw(count, self.crop * width).round(),
                down=_draw(count, self.crop * height).round(),
            )
        if self.brightness or self.contrast:
            pixels = recolour(
                pixels,
                brightness=_draw(count, 255 * self.brightness),
                contrast=1 + _draw(count, self.contrast),
            )
        return pixels.round().clamp(0, 255).to(torch.uint8)


def move(pixels: Tensor, mirrored: Tensor, degrees: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Mirror images from left to right, then turn, then shift them; edges are repeated outwards.

    Args:
        pixels: Floats of shape (batch, channels, height, width).
        mirrored: Which of the images are mirrored, of shape (batch,) as all that follow.
        degrees: Angles, counter-clockwise.
        right: Shifts in pixels.
        down: Shifts in pixels.
    """
    _, _, height, width = pixels.shape
    sign = 1 - 2 * mirrored.float()
    cos, sin = degrees.deg2rad().cos(), degrees.deg2rad().sin()
    # Where each pixel of the result comes from; a coordinate goes from -1 to 1 across the image
    x, y = -2 * right / width, -2 * down / height
    across, along = -sin * height / width, sin * width / height
    first = torch.stack([cos, across, cos * x + across * y], dim=1) * sign[:, None]
    second = torch.stack([along, cos, along * x + cos * y], dim=1)
    affine = torch.stack([first, second], dim=1).to(pixels.device)
    grid = F.affine_grid(affine, list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)


def recolour(pixels: Tensor, brightness: Tensor, contrast: Tensor) -> Tensor:
    """Multiply the distance of the pixels from their image's mean, and shift them.

    Args:
        pixels: Floats of shape (batch, channels, height, width).
        brightness: What is added, of shape (batch,).
        contrast: Factors, of shape (batch,).
    """
    shape = -1, 1, 1, 1
    mean = pixels.mean(dim=(1, 2, 3), keepdim=True)
    factor, shift = contrast.view(shape).to(pixels.device), brightness.view(shape).to(pixels.device)
    return (pixels - mean) * factor + mean + shift


def _draw(count: int, most: float) -> Tensor:
    """Draw numbers between -most and most."""
    return (2 * torch.rand(count) - 1) * most
