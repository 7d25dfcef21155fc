import json
from pathlib import Path

import example
import pytest
import torch
from data_sets import change, data_options
from hydra import compose, initialize_config_dir

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.evaluation.report import evaluate
from {{ cookiecutter.project_slug }}.training.fit import train

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
OTHER_SAMPLES = "holds other samples"


@pytest.fixture
def evaluate_alone(trained, tmp_path):
    """Evaluate a copy of the trained checkpoint, with changes, and no word about its data."""

    def run(*overrides: str, **changes) -> dict[str, float]:
        saved = torch.load(trained / "models/model.ckpt", weights_only=True)
        settings = saved["hyper_parameters"]["data"]["settings"]
        settings["folder"] = str(trained / example.FOLDER)
        for name, value in changes.items():
            settings[name] = value
        torch.save(saved, tmp_path / "model.ckpt")
        with initialize_config_dir(str(CONFIGS), version_base="1.3"):
            chosen = ["checkpoint=model.ckpt", "baseline=false", *overrides]
            return evaluate(compose("evaluate", chosen))

    return run


def test_a_checkpoint_remembers_its_data(evaluate_alone, trained, caplog):
    saved = torch.load(trained / "models/model.ckpt", weights_only=True)
    assert evaluate_alone()["accuracy"] == pytest.approx(saved["metrics"]["accuracy"])
    assert OTHER_SAMPLES not in caplog.text


def test_one_setting_of_the_remembered_data_can_be_changed(evaluate_alone, trained):
    elsewhere = f"+data.folder={trained / example.FOLDER}"
    assert evaluate_alone(elsewhere, folder="moved") == evaluate_alone()
    assert not Path("moved").exists()


def test_samples_that_changed_since_the_training_are_noticed(evaluate_alone, trained, caplog):
    meta = json.loads((trained / example.FOLDER / "meta.json").read_text("utf-8"))
    folder = Path("changed")
    folder.mkdir()
    for path in (trained / example.FOLDER).glob("*.npy"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "meta.json").write_text(json.dumps(meta | {"digest": "0" * 64}), encoding="utf-8")
    evaluate_alone(folder=str(folder))
    assert OTHER_SAMPLES in caplog.text


@pytest.mark.parametrize("target", ["os.system", "subprocess.Popen", "pathlib.Path"])
def test_a_checkpoint_can_not_choose_what_is_called(evaluate_alone, target):
    with pytest.raises(UserError, match=target.replace(".", r"\.")):
        evaluate_alone(_target_=target)


def test_a_checkpoint_without_data_needs_a_name(evaluate_alone, configure, trained):
    saved = torch.load(trained / "models/model.ckpt", weights_only=True)
    del saved["hyper_parameters"]["data"]
    torch.save(saved, "old.ckpt")
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        cfg = compose("evaluate", overrides=["checkpoint=old.ckpt"])
    with pytest.raises(UserError, match="add data="):
        evaluate(cfg)


def test_other_data_than_the_model_was_trained_on_is_refused(configure, options):
    others = [*data_options("{{ cookiecutter.__own }}"), "data.folder=prepared"]
    with pytest.raises(UserError, match="was trained on other classes"):
        evaluate(configure(*others, options[1], config="evaluate"))


def test_another_split_than_the_trained_one_is_refused(configure, options):
    with pytest.raises(UserError, match="made with other settings"):
        evaluate(configure(*options, example.OTHER_SPLIT, config="evaluate"))


def test_files_that_changed_since_the_preparation_are_noticed(configure, caplog):
    chosen = data_options("{{ cookiecutter.__own }}")
    train(configure(*chosen, "trainer.max_epochs=1"))
    change("{{ cookiecutter.__own }}")
    evaluate(configure(*chosen, config="evaluate"))
    assert "files of the source changed" in caplog.text
    assert OTHER_SAMPLES not in caplog.text
