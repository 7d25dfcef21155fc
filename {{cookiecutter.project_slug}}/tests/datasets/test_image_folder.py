from pathlib import Path

import numpy as np
import pytest
from sources import draw, draw_classes

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.image_folder import ImageFolderDataModule
from {{ cookiecutter.project_slug }}.datasets.splits import SPLITS


def test_a_folder_of_pictures_is_split_and_resized():
    draw_classes(Path("pictures"), 10)
    data = ImageFolderDataModule("pictures", image_shape=(3, 4, 5))
    data.prepare_data()
    assert data.classes == ["blue", "red"]
    assert data.image_shape == [3, 4, 5]
    for split, count in {"train": 14, "val": 2, "test": 4}.items():
        images, labels = data.arrays(split)
        assert images.shape == (count, 3, 4, 5)
        assert np.bincount(labels).tolist() == [count / 2, count / 2]
        blue, red = (images[labels == label][:, [0, 2]].mean(axis=(0, 2, 3)) for label in (0, 1))
        np.testing.assert_allclose(blue, [0, 255], atol=2)
        np.testing.assert_allclose(red, [255, 0], atol=2)


def test_given_splits_are_kept():
    for split, count in {"train": 5, "val": 1, "test": 2}.items():
        draw_classes(Path("pictures", split), count)
    data = ImageFolderDataModule("pictures")
    data.prepare_data()
    assert data.classes == ["blue", "red"]
    assert [len(data.arrays(split)[1]) for split in SPLITS] == [10, 2, 4]


def test_given_splits_need_the_same_classes():
    for split in SPLITS:
        draw_classes(Path("pictures", split), 1)
    draw(Path("pictures/val/green/0.png"))
    with pytest.raises(UserError, match="val has other classes"):
        ImageFolderDataModule("pictures").prepare_anew()


def break_file() -> None:
    Path("pictures/red/1.jpg").write_bytes(b"not a picture")


def truncate_file() -> None:
    content = Path("pictures/blue/1.png").read_bytes()
    Path("pictures/blue/1.png").write_bytes(content[:45])


def empty_class() -> None:
    Path("pictures/green").mkdir()


def small_class() -> None:
    draw(Path("pictures/green/0.png"))


def one_class() -> None:
    Path("pictures/red").rename("red")


def no_source() -> None:
    Path("pictures").rename("photos")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (break_file, "1.jpg"),
        (truncate_file, "1.png"),
        (empty_class, "green"),
        (small_class, "green"),
        (one_class, "two sub-folders"),
        (no_source, "pictures"),
    ],
)
def test_what_is_wrong_with_a_folder_is_named(spoil, named):
    draw_classes(Path("pictures"), 3)
    spoil()
    with pytest.raises(UserError, match=named):
        ImageFolderDataModule("pictures").prepare_anew()
