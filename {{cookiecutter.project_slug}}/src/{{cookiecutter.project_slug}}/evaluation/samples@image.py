"""What reports show of the samples: the pictures themselves, and what differs between them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..datasets.inputs import InputSpec
from .text import TEXT, drawable


def draw_samples(
    inputs: NDArray[np.uint8], spec: InputSpec, titles: Sequence[str], heading: str
) -> Figure:
    """Draw images in a grid, each with a title.

    Args:
        inputs: Pixels of shape (images, channels, height, width), 0 to 255.
        spec: What the inputs are.
        titles: The title of each image, of one to three lines.
        heading: Title of the whole figure.
    """
    columns = 5
    rows = max(1, -(-len(inputs) // columns))
    figure = Figure(figsize=(1.7 * columns, 2.1 * rows + 0.5), layout="constrained")
    figure.suptitle(drawable(heading), **TEXT)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, title in zip(grid.flat, inputs, titles, strict=False):
        pixels = image[0] if len(image) < 3 else image[:3].transpose(1, 2, 0)
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
        axes.set_title(title, fontsize=8, **TEXT)
    return figure


def show(sample: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.uint8]:
    """Return the pixels of an image in the order of a picture: (height, width, channels)."""
    return sample.transpose(1, 2, 0)


def profile(inputs: Mapping[str, NDArray[np.uint8]], spec: InputSpec) -> list[str]:
    """Describe the pixels of each split, as lines of a table in Markdown.

    Args:
        inputs: Pixels of shape (images, channels, height, width), 0 to 255, by split.
        spec: What the inputs are.
    """
    rows = [
        f"| {split} | {images.mean():.1f} | {images.std():.1f} |"
        for split, images in inputs.items()
    ]
    return ["| split | pixel mean | pixel deviation |", "|---|---|---|", *rows]


def features(inputs: NDArray[np.uint8], spec: InputSpec) -> dict[str, NDArray[Any]]:
    """Measure what may make an image hard to classify: `evaluate` cuts the test split by it.

    Args:
        inputs: Pixels of shape (images, channels, height, width), 0 to 255.
        spec: What the inputs are.

    Returns:
        Values of shape (images,) by name: the mean and the standard deviation of the pixels.
    """
    # One image at a time, as the deviations of all pixels would take eight times their memory
    return {
        "brightness": np.array([image.mean() for image in inputs]),
        "contrast": np.array([image.std() for image in inputs]),
    }
