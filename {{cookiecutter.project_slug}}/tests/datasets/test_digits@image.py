import numpy as np
import pytest
from PIL import Image

from {{ cookiecutter.project_slug }}.datasets.digits import DigitsDataModule
from {{ cookiecutter.project_slug }}.datasets.splits import SPLITS


@pytest.fixture
def digits():
    data = DigitsDataModule("digits")
    data.prepare_data()
    return data


def test_digits_are_split_in_the_same_proportions_per_class(digits):
    counts = {split: np.bincount(digits.arrays(split)[1]) for split in SPLITS}
    total = sum(counts.values())
    assert total.sum() == 1797
    np.testing.assert_allclose(counts["val"] / total, 0.1, atol=0.005)
    np.testing.assert_allclose(counts["test"] / total, 0.2, atol=0.005)


def test_splits_share_no_image(digits):
    images = np.concatenate([digits.arrays(split)[0] for split in SPLITS])
    assert images.shape == (1797, 1, 8, 8)
    assert images.dtype == np.uint8
    assert len(np.unique(images, axis=0)) == 1797


def test_the_seed_chooses_the_split(digits):
    other = DigitsDataModule("other", split_seed=1)
    other.prepare_data()
    assert (other.arrays("train")[1] != digits.arrays("train")[1]).any()


def test_each_class_has_a_sample_picture(digits):
    images, labels = digits.arrays("test")
    for label, name in enumerate(digits.classes):
        sample = np.asarray(Image.open(f"digits/samples/{name}.png"))
        assert (images[labels == label, 0] == sample).all(axis=(1, 2)).any()


def test_an_image_is_named_by_its_position_in_scikit_learn(digits):
    from sklearn.datasets import load_digits

    originals = load_digits().images
    images, _ = digits.arrays("test")
    for image, name in zip(images, digits.names("test"), strict=True):
        position = int(name.removeprefix("digits/"))
        np.testing.assert_allclose(image[0], originals[position] * (255 / 16), atol=0.5)
