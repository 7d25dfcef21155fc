"""What every data set promises: found by its file in configs/data/."""

import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from sources import NumberedImages, data_options

from {{ cookiecutter.project_slug }} import UserError, datasets
from {{ cookiecutter.project_slug }}.datasets.base import ImageDataModule
from {{ cookiecutter.project_slug }}.datasets.splits import SPLITS

CONFIGS = Path(__file__).resolve().parents[2] / "configs/data"
NAMES = sorted(path.stem for path in CONFIGS.glob("*.yaml"))


@pytest.fixture(params=NAMES)
def data(request, configure) -> ImageDataModule:
    """Prepare a data set in the empty folder of the test, from the files of `SOURCES`."""
    made = instantiate(configure(*data_options(request.param)).data)
    made.prepare_data()
    return made


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_each_data_set_has_one_module_and_one_configuration_of_its_name():
    found = [module.name for module in iter_modules(datasets.__path__, f"{datasets.__name__}.")]
    modules = [
        name.rpartition(".")[2]
        for name in found
        for value in vars(import_module(name)).values()
        if isinstance(value, type)
        and issubclass(value, ImageDataModule)
        and value.__module__ == name
    ]
    assert sorted(set(modules) - {"base"}) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_configuration_names_the_class_of_its_module(configure, name):
    module, _, target = configure(f"data={name}").data._target_.rpartition(".")
    assert module == f"{datasets.__name__}.{name}"
    assert issubclass(getattr(import_module(module), target), ImageDataModule)


def test_each_split_holds_images_and_labels(data):
    for split in SPLITS:
        images, labels = data.arrays(split)
        assert images.dtype == np.uint8
        assert labels.dtype == np.int64
        assert images.shape == (len(labels), *data.image_shape)
        assert data.image_shape[0] in {1, 3}  # grey or RGB, as pictures are read and drawn


def test_each_split_holds_each_class(data):
    assert len(set(data.classes)) == len(data.classes) > 1
    for split in SPLITS:
        assert np.unique(data.arrays(split)[1]).tolist() == list(range(len(data.classes)))


def test_no_image_is_in_two_splits(data):
    images = {split: {one.tobytes() for one in data.arrays(split)[0]} for split in SPLITS}
    assert images["train"].isdisjoint(images["val"])
    assert images["test"].isdisjoint(images["train"] | images["val"])


def test_preparing_twice_writes_the_same_bytes(data):
    before = contents(data.folder)
    data.prepare_anew()
    assert contents(data.folder) == before


@pytest.mark.parametrize("split", SPLITS)
def test_a_batch_holds_images_as_they_are_stored(data, split):
    data.num_workers = 0
    images, labels = next(iter(getattr(data, f"{split}_dataloader")()))
    assert images.shape == (len(labels), *data.image_shape)
    assert (images.dtype, labels.dtype) == (torch.uint8, torch.int64)


# What all of them have from their base class


@pytest.fixture
def numbered() -> NumberedImages:
    made = NumberedImages()
    made.prepare_data()
    return made


def test_what_was_prepared_describes_itself(numbered):
    meta = json.loads(Path("numbered/meta.json").read_text("utf-8"))
    assert meta["classes"] == numbered.classes == ["even", "odd"]
    assert meta["image_shape"] == numbered.image_shape == [1, 8, 8]


def test_preparing_again_does_nothing_until_the_recipe_changes(numbered):
    written = Path("numbered/train_images.npy").stat().st_mtime_ns
    numbered.prepare_data()
    assert Path("numbered/train_images.npy").stat().st_mtime_ns == written
    NumberedImages(images=50).prepare_data()
    assert sum(len(numbered.arrays(split)[1]) for split in SPLITS) == 50


def test_a_preparation_that_fails_leaves_the_old_arrays(numbered):
    before = contents(Path("numbered"))
    with pytest.raises(UserError, match="class 0 has 2 images"):
        NumberedImages(images=4).prepare_anew()
    assert contents(Path("numbered")) == before
    assert [path.name for path in Path().iterdir()] == ["numbered"]


def test_a_folder_with_other_files_is_never_replaced():
    Path("thesis").mkdir()
    Path("thesis/chapter.txt").write_text("three years of work", encoding="utf-8")
    with pytest.raises(UserError, match="thesis"):
        NumberedImages("thesis").prepare_anew()
    assert Path("thesis/chapter.txt").is_file()
