import contextlib
from pathlib import Path

import example
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from {{ cookiecutter.project_slug }}.inference.predictor import Predictor
from {{ cookiecutter.project_slug }}.training.fit import train


@pytest.fixture(scope="module")
def folder(configure, tmp_path_factory):
    """Train, and return the folder that TensorBoard reads."""
    home = tmp_path_factory.mktemp("tensorboard")
    with contextlib.chdir(home):
        train(configure("logger=tensorboard", "trainer.max_epochs=2"))
    return home / "run" / "tensorboard"


@pytest.fixture(scope="module")
def events(folder):
    return EventAccumulator(str(folder)).Reload()


def test_metrics_are_tracked(events):
    for name in ("train/loss", "val/accuracy", "val/f1"):
        first, second = (scalar.step for scalar in events.Scalars(name))
        assert second == 2 * first + 1  # the last step of each epoch
    assert events.Scalars("test/accuracy")[0].value > 0.5


def test_figures_are_tracked(events):
    figures = {"calibration", "confusion_matrix", "mistakes", "samples"}
    assert set(events.Tags()["images"]) == figures
    drawn = events.Images("confusion_matrix")[0]
    assert drawn.encoded_image_string.startswith(b"\x89PNG")
    assert drawn.width > 300


def test_settings_are_compared_by_scores(events):
    content = events.PluginTagToContent("hparams")
    session = HParamsPluginData.FromString(content["_hparams_/session_start_info"])
    settings = session.session_start_info.hparams
    assert settings["model/optimizer/lr"].number_value == 0.003
    assert settings["trainer/max_epochs"].number_value == 2
    experiment = HParamsPluginData.FromString(content["_hparams_/experiment"]).experiment
    assert "test/accuracy" in {info.name.tag for info in experiment.metric_infos}


def test_best_checkpoint_lies_beside_the_events(folder):
    assert Predictor(folder / "model.ckpt").classes == example.CLASSES


def test_a_tracker_that_fails_costs_no_model(configure, monkeypatch, caplog):
    def fail(*arguments):
        raise RuntimeError("no\nspace")

    monkeypatch.setattr("{{ cookiecutter.project_slug }}.training.tracking.best_results", fail)
    train(configure("logger=tensorboard", "trainer.max_epochs=1"))
    assert Path("models/model.ckpt").is_file()
    assert "TensorBoard lacks results of this run: RuntimeError: no space" in caplog.messages
