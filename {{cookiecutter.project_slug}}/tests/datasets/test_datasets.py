"""What every data set promises: found by its file in configs/data/."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import example
import numpy as np
import pytest
import torch
from data_sets import NumberedSamples, data_options
from hydra.utils import instantiate

from {{ cookiecutter.project_slug }} import UserError, datasets
from {{ cookiecutter.project_slug }}.datasets.base import DataModule
from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec
from {{ cookiecutter.project_slug }}.datasets.splits import SPLITS
from {{ cookiecutter.project_slug }}.datasets.storage import alone

CONFIGS = Path(__file__).resolve().parents[2] / "configs/data"
NAMES = sorted(path.stem for path in CONFIGS.glob("*.yaml"))


@pytest.fixture(params=NAMES)
def data(request, configure) -> DataModule:
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
        if isinstance(value, type) and issubclass(value, DataModule) and value.__module__ == name
    ]
    assert sorted(set(modules) - {"base"}) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_configuration_names_the_class_of_its_module(configure, name):
    module, _, target = configure(f"data={name}").data._target_.rpartition(".")
    assert module == f"{datasets.__name__}.{name}"
    assert issubclass(getattr(import_module(module), target), DataModule)


def test_each_split_holds_inputs_and_labels(data):
    for split in SPLITS:
        inputs, labels = data.arrays(split)
        assert inputs.dtype == data.input_spec.dtype
        assert labels.dtype == np.int64
        assert inputs.shape == (len(labels), *data.input_spec.shape)


def test_each_split_holds_each_class(data):
    assert len(set(data.classes)) == len(data.classes) > 1
    for split in SPLITS:
        assert np.unique(data.arrays(split)[1]).tolist() == list(range(len(data.classes)))


def test_no_sample_is_in_two_splits(data):
    samples = {split: {one.tobytes() for one in data.arrays(split)[0]} for split in SPLITS}
    assert samples["train"].isdisjoint(samples["val"])
    assert samples["test"].isdisjoint(samples["train"] | samples["val"])


def test_each_sample_has_a_name_of_its_own(data):
    names = [(split, name) for split in SPLITS for name in data.names(split)]
    assert all(name and isinstance(name, str) for _, name in names)
    assert len(set(names)) == len(names) == sum(len(data.arrays(split)[1]) for split in SPLITS)


def test_plain_values_describe_its_inputs(data):
    spec = data.input_spec
    assert InputSpec(**json.loads(json.dumps(asdict(spec)))) == spec
    assert str(spec)


def test_preparing_twice_writes_the_same_bytes(data):
    before = contents(data.folder)
    data.prepare_anew()
    assert contents(data.folder) == before


@pytest.mark.parametrize("split", SPLITS)
def test_a_batch_holds_inputs_as_they_are_stored(data, split):
    data.num_workers = 0
    inputs, labels = next(iter(getattr(data, f"{split}_dataloader")()))
    assert inputs.shape == (len(labels), *data.input_spec.shape)
    assert inputs.numpy().dtype == data.input_spec.dtype
    assert labels.dtype == torch.int64


# What all of them have from their base class


@pytest.fixture
def numbered() -> NumberedSamples:
    made = NumberedSamples()
    made.prepare_data()
    return made


def test_what_was_prepared_describes_itself(numbered):
    meta = json.loads(Path("numbered/meta.json").read_text("utf-8"))
    assert meta["classes"] == numbered.classes == ["even", "odd"]
    assert InputSpec(**meta["input_spec"]) == numbered.input_spec == example.SPEC


def test_preparing_again_does_nothing_until_the_recipe_changes(numbered):
    written = Path("numbered/train_inputs.npy").stat().st_mtime_ns
    numbered.prepare_data()
    assert Path("numbered/train_inputs.npy").stat().st_mtime_ns == written
    NumberedSamples(samples=50).prepare_data()
    assert sum(len(numbered.arrays(split)[1]) for split in SPLITS) == 50


def test_a_changed_recipe_is_told(numbered, capsys):
    assert capsys.readouterr().out == ""
    NumberedSamples(samples=50).prepare_data()
    told = capsys.readouterr().out
    assert "the settings changed (samples)" in told
    assert len(told.splitlines()) == 1


def test_names_that_are_not_stored_are_positions(numbered):
    assert numbered.names("test")[:2] == ["test/0", "test/1"]
    assert len(numbered.names("val")) == len(numbered.arrays("val")[1])


def test_the_digest_tells_data_apart(numbered):
    other = NumberedSamples("other", samples=101)
    same = NumberedSamples("same")
    for data in (other, same):
        data.prepare_data()
    assert len(numbered.digest) == 64
    assert numbered.digest == same.digest != other.digest


def test_a_process_that_waited_for_another_one_prepares_nothing(numbered, capsys):
    changed = [NumberedSamples(samples=50) for _ in range(2)]
    with ThreadPoolExecutor(1) as pool:
        with alone(numbered.folder):
            waiting = pool.submit(changed[0].prepare_data)
            while "waiting" not in capsys.readouterr().out:
                assert not waiting.done()
            changed[1]._write()
            written = Path("numbered/train_inputs.npy").stat().st_mtime_ns
        waiting.result()
    assert Path("numbered/train_inputs.npy").stat().st_mtime_ns == written
    assert len(changed[0].arrays("train")[1]) == len(changed[1].arrays("train")[1])


@pytest.mark.skipif(os.name == "nt", reason="Windows replaces no files that are open")
@pytest.mark.parametrize("memory", [2000, 0])
def test_the_splits_that_a_command_reads_are_never_of_two_preparations(numbered, memory):
    reader = NumberedSamples(memory_limit_mb=memory)
    train = {int(sample.flat[0]) for sample in reader.arrays("train")[0]}
    streamed = iter(reader.train_dataloader()) if memory == 0 else None
    numbered.recipe["samples"] = 101
    numbered.prepare_data()
    assert train.isdisjoint(int(sample.flat[0]) for sample in reader.arrays("test")[0])
    reader.prepare_data()  # Lightning asks again
    assert len(NumberedSamples(samples=101).arrays("val")[1]) == len(numbered.arrays("val")[1])
    if streamed:
        with pytest.raises(UserError, match="prepared anew while"):
            next(streamed)


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch_size": 0},
        {"batch_size": "many"},
        {"num_workers": -1},
        {"memory_limit_mb": -1},
        {"folder": ""},
        {"folder": ".."},
    ],
)
def test_an_option_that_cannot_work_is_named(wrong):
    with pytest.raises(UserError, match=f"^data.{next(iter(wrong))} is "):
        NumberedSamples(**wrong)


def test_data_that_are_not_prepared_are_named():
    with pytest.raises(UserError, match="numbered holds no complete data: run `prepare`"):
        NumberedSamples().arrays("train")


def test_a_preparation_that_fails_leaves_the_old_arrays(numbered):
    before = contents(Path("numbered"))
    with pytest.raises(UserError, match="class 0 has 2 samples"):
        NumberedSamples(samples=4).prepare_anew()
    assert contents(Path("numbered")) == before
    assert {path.name for path in Path().iterdir()} == {"numbered", ".numbered.lock"}


def test_a_folder_with_other_files_is_never_replaced():
    Path("thesis").mkdir()
    Path("thesis/chapter.txt").write_text("three years of work", encoding="utf-8")
    with pytest.raises(UserError, match="thesis"):
        NumberedSamples("thesis").prepare_anew()
    assert Path("thesis/chapter.txt").is_file()
