import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sources import draw, draw_classes

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.image_folder import ImageFolderDataModule
from {{ cookiecutter.project_slug }}.datasets.splits import SPLITS

SOURCE = Path("pictures")


def prepared(**options: object) -> ImageFolderDataModule:
    data = ImageFolderDataModule("pictures", **options)
    data.prepare_data()
    return data


# Windows and macOS know fewer names and links
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such names, or links for all")


def rename(old: Path, new: Path) -> None:
    try:
        old.rename(new)
    except OSError:
        pytest.skip("this system has no such names")


def counts(data: ImageFolderDataModule) -> list[int]:
    return [len(data.arrays(split)[1]) for split in SPLITS]


def refusal() -> str:
    """Prepare the pictures, which is refused in one line and leaves nothing."""
    with pytest.raises(UserError) as refused:
        ImageFolderDataModule("pictures").prepare_anew()
    assert len(str(refused.value).splitlines()) == 1
    assert [path.name for path in Path("data/processed").iterdir()] == [".image_folder.lock"]
    return str(refused.value)


def test_a_folder_of_pictures_is_split_and_resized():
    draw_classes(SOURCE, 10)
    data = prepared(image_shape=(3, 4, 5))
    assert data.classes == ["blue", "red"]
    assert data.input_spec.image_shape == [3, 4, 5]
    for split, count in {"train": 14, "val": 2, "test": 4}.items():
        images, labels = data.arrays(split)
        assert images.shape == (count, 3, 4, 5)
        assert np.bincount(labels).tolist() == [count / 2, count / 2]
        blue, red = (images[labels == label][:, [0, 2]].mean(axis=(0, 2, 3)) for label in (0, 1))
        np.testing.assert_allclose(blue, [0, 255], atol=2)
        np.testing.assert_allclose(red, [255, 0], atol=2)


@posix
def test_each_image_has_the_name_of_its_file():
    for number in range(12):
        for name in ("a", "b\nc"):
            draw(SOURCE / "x" / f"{name}{number}.png", number, "L")
            draw(SOURCE / "y" / "more" / f"{name}{number}.png", 100 + number, "L")
    rename(SOURCE / "x/a0.png", SOURCE / "x/d\udce90.png")
    data = prepared(image_shape=(1, 1, 1))
    for split in SPLITS:
        images, labels = data.arrays(split)
        for image, label, name in zip(images, labels, data.names(split), strict=True):
            assert name.startswith(("x/", "y/more/")[label])
            number = int(image[0, 0, 0]) - 100 * int(label)
            assert name.endswith(tuple(f"{end}{number}.png" for end in ("a", "b\nc", "d\\udce9")))
            name.encode()


# Splits


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("Training", "VALID", "Testing"), ("TRAIN", "dev", "eval")]
)
def test_given_splits_are_kept(names):
    for name, count in zip(names, (5, 1, 2), strict=True):
        draw_classes(SOURCE / name, count)
    data = prepared()
    assert data.classes == ["blue", "red"]
    assert counts(data) == [10, 2, 4]
    assert all(name.startswith(names[2]) for name in data.names("test"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [(["test"], [18, 2, 4]), (["validation"], [16, 4, 4]), ([], [14, 2, 4])],
)
def test_a_split_that_is_missing_is_cut_from_train(given, expected, capsys):
    draw_classes(SOURCE / "train", 10)
    for split in given:
        draw_classes(SOURCE / split, 2)
    data = prepared()
    assert counts(data) == expected
    told = capsys.readouterr().out
    assert "cut from" in told
    assert len(told.splitlines()) == 1
    for split in SPLITS:
        assert np.bincount(data.arrays(split)[1]).tolist() == [len(data.names(split)) / 2] * 2
    assert {name.partition("/")[0] for name in data.names("test")} == {
        "test" if "test" in given else "train"
    }


@pytest.mark.parametrize(
    ("folders", "named"),
    [
        (["train", "test", "cat"], ["test, train", "beside cat", "move"]),
        (["train", "bus", "car"], ["train, called like a split", "bus, car", "new folder `train`"]),
        (["valid", "invalid"], ["valid, called", "beside invalid"]),
        (["train", "val", "validation"], ["val and validation"]),
        (["Train", "training"], ["Train and training"]),
        (["val", "test"], ["no folder `train`"]),
        (["training_set", "test_set"], ["training_set", "test_set", "train, val and test"]),
        (["train2017", "val2017", "annotations"], ["train2017", "val2017"]),
        (["cat/train", "cat/test", "dog/train", "dog/test"], ["pictures/cat has test, train"]),
    ],
)
def test_folders_that_may_be_splits_or_classes_are_refused(folders, named):
    for folder in folders:
        draw_classes(SOURCE / folder, 3)
    refused = refusal()
    for text in named:
        assert text in refused.replace("\\", "/")


def test_a_class_may_be_called_like_a_split_in_a_split():
    for split in ("train", "test"):
        for name in ("train", "test tube", "bus"):
            for number in range(3):
                draw(SOURCE / split / name / f"{number}.png", number)
    assert prepared().classes == ["bus", "test tube", "train"]


def test_given_splits_need_the_same_classes():
    for split in SPLITS:
        draw_classes(SOURCE / split, 1)
    draw(SOURCE / "val/green/0.png")
    assert "val has other classes than" in (refused := refusal())
    assert refused.endswith("green")


# What is no data


def test_hidden_files_are_no_data(capsys):
    draw_classes(SOURCE, 4)
    data = prepared()
    for name in (".ipynb_checkpoints/0.png", "__MACOSX/._0.png", "@eaDir/0.png"):
        draw(SOURCE / name)
        draw(SOURCE / "red" / name)
    draw(SOURCE / "red/.hidden.png")
    (SOURCE / "red/._0.jpg").write_bytes(b"what macOS knows about 0.jpg")
    assert data.is_prepared()
    before = data.digest
    data.prepare_anew()
    assert data.digest == before
    assert capsys.readouterr().out == ""


def test_other_files_are_counted(capsys):
    draw_classes(SOURCE, 4)
    for name in ("red/Thumbs.db", "red/a.txt", "blue/b.TXT", "blue/c.heic", "README"):
        (SOURCE / name).write_text("text", encoding="utf-8")
    assert counts(prepared()) == [4, 2, 2]
    told = capsys.readouterr().out
    assert len(told.splitlines()) == 1
    for kind in ("2 .txt", "1 .db", "1 .heic", "1 outside of the class folders"):
        assert kind in told


@posix
def test_all_pictures_that_cannot_be_read_are_named_at_once():
    draw_classes(SOURCE, 20)
    content = (SOURCE / "blue/1.png").read_bytes()
    (SOURCE / "blue/1.png").write_bytes(content[:45])
    (SOURCE / "blue/2.png").write_bytes(b"")
    Image.new("I", (8, 8), 70000).save(SOURCE / "blue/deep.tif")
    (SOURCE / "blue/link.png").symlink_to("nowhere.png")
    assert refusal().count("blue") == 4
    for number in range(20):
        (SOURCE / f"red/{number}.jpg").write_bytes(b"not a picture")
    refused = refusal()
    assert refused.startswith("24 of 42 pictures can't be used")
    assert refused.endswith("and 14 more")


# Names and links


@posix
def test_a_link_that_loops_adds_nothing_and_other_links_are_followed():
    draw_classes(Path("elsewhere"), 5)
    SOURCE.mkdir()
    (SOURCE / "red").symlink_to("../elsewhere/red", target_is_directory=True)
    draw(SOURCE / "blue/own.png", 7)
    (SOURCE / "blue/linked").symlink_to("../../elsewhere/blue", target_is_directory=True)
    (SOURCE / "blue/loop").symlink_to("..", target_is_directory=True)
    (SOURCE / "blue/itself").symlink_to("itself")
    data = prepared()
    names = {name for split in SPLITS for name in data.names(split)}
    assert names == {
        "blue/own.png",
        *(f"blue/linked/{number}.png" for number in range(5)),
        *(f"red/{number}.jpg" for number in range(5)),
    }
    (SOURCE / "all").symlink_to(".", target_is_directory=True)
    with pytest.raises(UserError, match="all holds no files"):
        ImageFolderDataModule("pictures").prepare_anew()


def test_a_class_name_is_kept_in_one_form_of_unicode():
    for split, form in {"train": "NFC", "test": "NFD"}.items():
        draw_classes(SOURCE / split, 4)
        (SOURCE / split / "red").rename(SOURCE / split / unicodedata.normalize(form, "café"))
    assert prepared().classes == ["blue", "café"]


@posix
@pytest.mark.parametrize("name", ["x_$1_$2", "a|b", "back\\slash", "Red", "日本", "[0]"])
def test_a_class_may_have_any_name_that_can_be_shown(name):
    draw_classes(SOURCE, 3)
    rename(SOURCE / "blue", SOURCE / name)
    assert sorted(prepared().classes) == sorted([name, "red"])


@pytest.mark.parametrize("name", ["a\nb", "a\tb", " ", "caf\udce9", "\u2028"])
def test_a_class_whose_name_cannot_be_shown_is_refused(name):
    draw_classes(SOURCE, 3)
    rename(SOURCE / "red", SOURCE / name)
    refused = refusal()
    assert "can't be a class: rename it" in refused
    refused.encode()


def test_two_classes_that_look_alike_are_refused():
    draw_classes(SOURCE, 3)
    draw(SOURCE / unicodedata.normalize("NFC", "café") / "0.png")
    draw(SOURCE / unicodedata.normalize("NFD", "café") / "0.png")
    if len(list(SOURCE.iterdir())) == 3:
        pytest.skip("this system takes both for one")
    assert "two folders café" in refusal()


# The source after it was prepared


def add_picture() -> None:
    draw(SOURCE / "red/new.png")


def remove_picture() -> None:
    (SOURCE / "red/0.jpg").unlink()


def rename_picture() -> None:
    (SOURCE / "red/0.jpg").rename(SOURCE / "red/first.jpg")


def move_picture() -> None:
    (SOURCE / "red/0.jpg").rename(SOURCE / "blue/0.jpg")


def edit_picture() -> None:
    draw(SOURCE / "red/0.jpg", size=(99, 99))


@pytest.mark.parametrize(
    "change", [add_picture, remove_picture, rename_picture, move_picture, edit_picture]
)
def test_a_source_that_changed_is_prepared_anew(change, capsys):
    draw_classes(SOURCE, 5)
    before = prepared()
    names = {split: before.names(split) for split in SPLITS}
    change()
    after = ImageFolderDataModule("pictures")
    assert not after.is_prepared()
    after.prepare_data()
    assert "the files of the source changed" in capsys.readouterr().out
    assert after.is_prepared()
    same_names = {split: after.names(split) for split in SPLITS} == names
    assert (after.digest != before.digest) if same_names else True
    assert same_names == (change is edit_picture)


@pytest.mark.parametrize("emptied", [True, False])
def test_without_its_source_the_arrays_count(emptied):
    draw_classes(SOURCE, 5)
    before = prepared()
    SOURCE.rename("elsewhere")
    if emptied:  # as git leaves it
        SOURCE.mkdir()
    after = prepared()
    assert after.digest == before.digest
    assert counts(after) == counts(before)
    assert "no folder" in refusal_of_prepare() or emptied


def refusal_of_prepare() -> str:
    with pytest.raises(UserError) as refused:
        ImageFolderDataModule("pictures").prepare_anew()
    return str(refused.value)


def test_the_fit_is_part_of_the_recipe():
    for name in ("blue", "red"):
        for number in range(3):
            draw(SOURCE / name / f"{number}.png", (255, number, 0), size=(64, 32))
    padded = prepared()
    assert padded.input_spec.fit == "pad"
    assert (padded.arrays("train")[0][:, :, 0] == 0).all()  # the first row is a bar
    stretched = prepared(fit="stretch")
    assert stretched.input_spec.fit == "stretch"
    assert (stretched.arrays("train")[0][:, 0] == 255).all()


# Other faults


def break_file() -> None:
    (SOURCE / "red/1.jpg").write_bytes(b"not a picture")


def truncate_file() -> None:
    content = (SOURCE / "blue/1.png").read_bytes()
    (SOURCE / "blue/1.png").write_bytes(content[:45])


def empty_class() -> None:
    (SOURCE / "green").mkdir()


def other_class() -> None:
    (SOURCE / "green").mkdir()
    (SOURCE / "green/0.heic").write_bytes(b"from a telephone")


def small_class() -> None:
    draw(SOURCE / "green/0.png")


def one_class() -> None:
    (SOURCE / "red").rename("red")


def no_source() -> None:
    SOURCE.rename("photos")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (break_file, "1.jpg"),
        (truncate_file, "1.png"),
        (empty_class, "green holds no files"),
        (other_class, "but 1 .heic"),
        (small_class, "class green has 1 samples"),
        (one_class, "two sub-folders"),
        (no_source, "pictures is no folder"),
    ],
)
def test_what_is_wrong_with_a_folder_is_named(spoil, named):
    draw_classes(SOURCE, 3)
    spoil()
    assert named in refusal()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"source": ""}, "data.source is empty"),
        ({"source": None}, "data.source is empty"),
        ({"image_shape": [4, 32, 32]}, "image_shape is [4, 32, 32]"),
        ({"image_shape": [3, 32]}, "image_shape is [3, 32]"),
        ({"image_shape": [3, 0, 32]}, "image_shape is [3, 0, 32]"),
        ({"image_shape": [3, 32.5, "x"]}, "image_shape is [3, 32.5, x]"),
        ({"fit": "squeeze"}, "stretch, pad, crop"),
        ({"folder": "pictures/prepared"}, "inside of data.source"),
    ],
)
def test_an_option_that_cannot_work_is_named(options, named):
    draw_classes(SOURCE, 3)
    with pytest.raises(UserError) as refused:
        ImageFolderDataModule(**{"source": "pictures"} | options)
    assert named in str(refused.value)


def test_a_home_folder_may_be_written_as_a_tilde(monkeypatch):
    monkeypatch.setenv("HOME", str(Path.cwd()))
    monkeypatch.setenv("USERPROFILE", str(Path.cwd()))
    draw_classes(SOURCE, 3)
    data = ImageFolderDataModule("~/pictures")
    data.prepare_data()
    assert data.classes == ["blue", "red"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit of a file's size")
def test_a_disk_that_is_full_ends_in_one_line_and_keeps_the_old_arrays():
    import resource

    draw_classes(SOURCE, 5)
    before = prepared()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))  # as a quota does
    try:
        refused = refusal_of_prepare()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "can't be prepared: " in refused
    assert ImageFolderDataModule("pictures").digest == before.digest
