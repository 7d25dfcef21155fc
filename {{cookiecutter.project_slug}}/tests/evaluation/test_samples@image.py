"""Images in figures, and what is measured of them."""

import numpy as np
import pytest

from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec
from {{ cookiecutter.project_slug }}.evaluation.classification import Classification
from {{ cookiecutter.project_slug }}.evaluation.samples import (
    draw_samples,
    features,
    profile,
    show,
)


def test_mistakes_are_ordered_by_confidence_and_named():
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.4, 0.6], [0.1, 0.9], [0.7, 0.3], [0.0, 1.0]], dtype=np.float32)
    images = np.arange(4, dtype=np.uint8).repeat(64).reshape(4, 1, 8, 8)
    files = ["cat/0.png", "cat/1.png", f"{'long' * 20}/dog/2.png", "dog/3.png"]
    figures = Classification(["cat", "dog"]).figures(
        images, InputSpec([1, 8, 8]), labels, probabilities, files, 2
    )
    drawn = [axes for axes in figures["mistakes"].axes if axes.images]
    first, second = (axes.get_title().split("\n") for axes in drawn)
    assert first == ["cat/1.png", "true cat", "guess dog (90%)"]
    assert second[0].endswith("long/dog/2.png")
    assert len(second[0]) < 30
    assert second[1:] == ["true dog", "guess cat (70%)"]
    assert [axes.images[0].get_array().max() for axes in drawn] == [1, 2]


def test_a_faultless_model_has_a_figure_without_mistakes():
    images = np.zeros((3, 3, 8, 8), dtype=np.uint8)
    certain = np.eye(3, dtype=np.float32)
    figures = Classification(["a", "b", "c"]).figures(
        images, InputSpec([3, 8, 8]), np.arange(3), certain, ["1", "2", "3"], 5
    )
    assert not any(axes.images for axes in figures["mistakes"].axes)
    assert sum(bool(axes.images) for axes in figures["samples"].axes) == 3


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_images_of_any_number_of_channels_are_drawn(channels):
    images = np.zeros((2, channels, 8, 8), dtype=np.uint8)
    figure = draw_samples(images, InputSpec([channels, 8, 8]), ["a", "b"], "$heading")
    figure.savefig("figure.png", dpi=20)


def test_the_pixels_of_each_split_are_described():
    images = np.array([1, 2, 3], np.uint8).repeat(4).reshape(-1, 1, 2, 2)
    lines = profile({"train": images}, InputSpec([1, 2, 2]))
    assert lines[-1] == "| train | 2.0 | 0.8 |"


def test_brightness_and_contrast_are_measured():
    images = np.zeros((2, 1, 2, 2), np.uint8)
    images[1, 0, 0] = 100
    found = features(images, InputSpec([1, 2, 2]))
    assert found["brightness"].tolist() == [0, 50]
    assert found["contrast"].tolist() == [0, 50]


def test_an_image_is_shown_as_a_picture():
    image = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    assert show(image, InputSpec([3, 2, 2]))[0, 1].tolist() == [1, 5, 9]
