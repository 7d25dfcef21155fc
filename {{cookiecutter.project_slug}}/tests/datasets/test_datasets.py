import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.base import (
    SPLITS,
    DigitsDataModule,
    ImageFolderDataModule,
    TensorBatches,
)


@pytest.fixture
def digits():
    data = DigitsDataModule("digits")
    data.prepare_data()
    return data


def draw(path: Path, color: object = 0, mode: str = "RGB", size: tuple[int, int] = (9, 7)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)


def draw_classes(folder: Path, count: int) -> None:
    """Draw a class of red and a class of blue pictures."""
    for number in range(count):
        draw(folder / "blue" / f"{number}.png", (0, 0, 255))
        draw(folder / "red" / f"{number}.jpg", (255, 0, 0))


def everything(batches) -> tuple[torch.Tensor, torch.Tensor]:
    """Join the batches of one pass."""
    images, labels = zip(*batches, strict=True)
    return torch.cat(images), torch.cat(labels)


# Digits


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


def test_the_split_depends_on_its_seed_alone(digits):
    def labels(seed):
        data = DigitsDataModule(f"seed_{seed}", split_seed=seed)
        data.prepare()
        return data.arrays("train")[1]

    np.testing.assert_array_equal(labels(0), digits.arrays("train")[1])
    assert (labels(1) != labels(0)).any()


def test_each_class_has_a_sample_picture(digits):
    images, labels = digits.arrays("test")
    for label, name in enumerate(digits.classes):
        sample = np.asarray(Image.open(f"digits/samples/{name}.png"))
        assert (images[labels == label, 0] == sample).all(axis=(1, 2)).any()


@pytest.mark.parametrize(("val", "test"), [(0, 0.2), (0.1, 0), (0.5, 0.5)])
def test_fractions_that_leave_nothing_are_refused(val, test):
    with pytest.raises(UserError, match="fraction"):
        DigitsDataModule("digits", val_fraction=val, test_fraction=test).prepare()


# Preparing


def test_preparing_again_does_nothing_until_the_recipe_changes(digits):
    written = Path("digits/train_images.npy").stat().st_mtime_ns
    digits.prepare_data()
    assert Path("digits/train_images.npy").stat().st_mtime_ns == written
    DigitsDataModule("digits", test_fraction=0.5).prepare_data()
    assert len(digits.arrays("test")[1]) == pytest.approx(1797 / 2, abs=10)


def test_a_preparation_that_fails_leaves_the_old_arrays(digits):
    before = {path: path.read_bytes() for path in Path("digits").rglob("*") if path.is_file()}
    with pytest.raises(UserError, match="nowhere"):
        ImageFolderDataModule("nowhere", folder="digits").prepare()
    assert {path: path.read_bytes() for path in before} == before
    assert [path.name for path in Path().iterdir()] == ["digits"]


def test_a_folder_with_other_files_is_never_replaced():
    Path("thesis").mkdir()
    Path("thesis/chapter.txt").write_text("three years of work", encoding="utf-8")
    with pytest.raises(UserError, match="thesis"):
        DigitsDataModule("thesis").prepare()
    assert Path("thesis/chapter.txt").is_file()


# Folders of pictures


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
        np.testing.assert_allclose(images[labels == 0].mean(axis=(0, 2, 3)), [0, 0, 255], atol=2)
        np.testing.assert_allclose(images[labels == 1].mean(axis=(0, 2, 3)), [255, 0, 0], atol=2)


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
        ImageFolderDataModule("pictures").prepare()


@pytest.mark.parametrize(
    ("mode", "grey"),
    [("L", 128), ("LA", (128, 255)), ("P", 0), ("I;16", 128 * 257), ("RGBA", (128, 128, 128, 255))],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_grey_is_grey_in_every_picture_mode(mode, grey, channels):
    draw_classes(Path("pictures"), 3)
    picture = Image.new(mode, (8, 8), grey)
    if mode == "P":
        picture.putpalette([128] * 768)
    picture.save("pictures/red/0.png")
    data = ImageFolderDataModule("pictures", image_shape=(channels, 8, 8))
    data.prepare()
    images = np.concatenate([data.arrays(split)[0] for split in SPLITS])
    assert (images == 128).all(axis=(1, 2, 3)).sum() == 1


def test_photographs_are_turned_upright():
    draw_classes(Path("pictures"), 3)
    photo = Image.new("L", (8, 8))
    photo.paste(255, (0, 0, 8, 4))  # the upper half is white
    exif = Image.Exif()
    exif[0x0112] = 3  # orientation: taken with the camera upside down
    photo.save("pictures/red/upside_down.png", exif=exif)
    data = ImageFolderDataModule("pictures", image_shape=(1, 8, 8))
    data.prepare()
    images = np.concatenate([data.arrays(split)[0] for split in SPLITS])
    assert ((images[:, 0, :4] == 0) & (images[:, 0, 4:] == 255)).all(axis=(1, 2)).sum() == 1


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
        ImageFolderDataModule("pictures").prepare()


# Batches


@pytest.mark.parametrize("split", SPLITS)
def test_a_set_too_large_for_memory_streams_the_same_images(digits, split):
    streamed = DigitsDataModule("digits", num_workers=2, memory_limit_mb=0)
    loader = getattr(streamed, f"{split}_dataloader")()
    in_memory = getattr(digits, f"{split}_dataloader")()
    assert isinstance(loader, DataLoader)
    assert isinstance(in_memory, TensorBatches)
    assert len(loader) == len(in_memory)
    images, labels = everything(loader)
    expected_images, expected_labels = everything(in_memory)
    assert torch.equal(labels, expected_labels) == (split != "train")  # that one is shuffled
    rows = torch.column_stack([labels, images.flatten(1)])
    expected_rows = torch.column_stack([expected_labels, expected_images.flatten(1)])
    assert torch.equal(rows.unique(dim=0), expected_rows.unique(dim=0))


def test_workers_are_sent_where_the_images_are_rather_than_the_images(digits):
    loader = DigitsDataModule("digits", memory_limit_mb=0).train_dataloader()
    sent = pickle.dumps((loader.dataset, loader.collate_fn))  # as macOS and Windows start them
    assert len(sent) < digits.arrays("train")[0].nbytes / 2


def numbered(count: int, **options) -> TensorBatches:
    """Make batches of images that are told apart by their labels."""
    labels = torch.arange(count)
    return TensorBatches(labels[:, None, None, None].to(torch.uint8), labels, 4, **options)


def test_each_pass_is_shuffled_anew_and_covers_each_image_once():
    batches = numbered(10, shuffle=True)
    assert [len(labels) for _, labels in batches] == [4, 4, 2]
    (images, first), (_, second) = everything(batches), everything(batches)
    assert first.tolist() != second.tolist()
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(10))
    assert images.flatten().tolist() == first.tolist()  # images stay with their labels


def test_without_shuffling_the_order_is_kept():
    assert everything(numbered(10))[1].tolist() == list(range(10))


@pytest.mark.parametrize("count", [8, 9, 16, 17, 23])
@pytest.mark.parametrize("shuffle", [True, False])
def test_processes_share_a_pass(count, shuffle):
    shards = [numbered(count, shuffle=shuffle, rank=rank, processes=2) for rank in (0, 1)]
    passes = [list(shard) for shard in shards]
    assert [len(batches) for batches in passes] == [len(shard) for shard in shards]
    labels = [label for batches in passes for label in everything(batches)[1].tolist()]
    assert len(labels) == len(set(labels)) == (count - count % 2 if shuffle else count)
    if shuffle:  # gradients are exchanged at each step, so both processes need as many
        assert len(passes[0]) == len(passes[1])


def test_what_was_prepared_describes_itself(digits):
    meta = json.loads(Path("digits/meta.json").read_text("utf-8"))
    assert meta["classes"] == digits.classes == list("0123456789")
    assert meta["image_shape"] == digits.image_shape == [1, 8, 8]
