import contextlib
import json
import os
from pathlib import Path
from zipfile import ZipFile

import example
import numpy as np
import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.checkpoint import CheckpointModel
from {{ cookiecutter.project_slug }}.training.fit import train
from {{ cookiecutter.project_slug }}.training.tracking import make_logger


@pytest.fixture(scope="module", autouse=True)
def no_account(tmp_path_factory):
    """Hide the keys and settings of this machine."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in {"COMET_API_KEY", "COMET_START_ONLINE", *os.environ}:
            if name.startswith("COMET_"):
                patch.setenv(name, "")  # restored at the end, when a test or .env has set it
                patch.delenv(name)
        for name in ("HOME", "USERPROFILE"):
            patch.setenv(name, str(folder))
        yield


@pytest.fixture(scope="module")
def archive(configure, tmp_path_factory):
    """Train, and open the archive that `comet upload` sends."""
    with contextlib.chdir(tmp_path_factory.mktemp("run")):
        train(configure("logger=comet", "trainer.max_epochs=2"))
        (path,) = Path("run/comet").glob("*.zip")
        with ZipFile(path.resolve()) as archive:
            yield archive


@pytest.fixture(scope="module")
def messages(archive):
    lines = archive.read("messages.json").decode().splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def uploads(messages):
    """Files in the archive, by the name they get on the server."""
    found = {}
    for message in messages:
        if message["type"] == "file_upload":
            upload = message["payload"]["additional_params"]
            name = upload.get("figName") or upload["fileName"]
            found[name] = message["payload"]["file_path"]
    return found


def test_settings_and_metrics_are_tracked(messages):
    settings = [m["payload"].get("param") for m in messages if m["type"] == "parameter_msg"]
    values = {setting["paramName"]: setting["paramValue"] for setting in settings if setting}
    assert values["trainer|max_epochs"] == 2
    assert values["model|optimizer|lr"] == 0.003
    metrics = [m["payload"]["metric"] for m in messages if m["type"] == "metric_msg"]
    first, second = (m["step"] for m in metrics if m["metricName"] == "val/loss")
    assert second == 2 * first + 1  # the last step of each epoch
    assert next(m["metricValue"] for m in metrics if m["metricName"] == "test/accuracy") > 0.5


def test_figures_and_tables_are_tracked(archive, uploads):
    for name in ("calibration", "confusion_matrix", "mistakes", "samples"):
        assert b"<svg" in archive.read(uploads[name])
    data = Path(archive.filename).parents[2] / example.FOLDER
    tested = len(np.load(data / "test_labels.npy"))
    matrix = json.loads(archive.read(uploads["confusion-matrix.json"]))
    assert sum(map(sum, matrix["matrix"])) == tested
    lines = archive.read(uploads["predictions.csv"]).decode().splitlines()
    assert lines[0] == "name,true,predicted,probability"
    assert len(lines) == 1 + tested


def test_best_checkpoint_is_registered(archive, messages, uploads, tmp_path):
    (model,) = (m["payload"] for m in messages if m["type"] == "register_model")
    assert model["registry_name"] == "{{ cookiecutter.project_slug }}"
    assert model["tags"] == ["candidate"]
    checkpoint = archive.extract(uploads["model.ckpt"], tmp_path)
    assert CheckpointModel(checkpoint).classes == example.CLASSES


def test_failed_run_is_ended_and_not_registered(configure):
    with pytest.raises(UserError):
        train(configure("logger=comet", "model.optimizer.lr=-1"))
    (path,) = Path("run/comet").glob("*.zip")
    with ZipFile(path) as archive:
        assert b"register_model" not in archive.read("messages.json")


def test_a_tracker_that_fails_costs_no_model(configure, monkeypatch, caplog):
    def fail(*arguments):
        raise RuntimeError("no\nspace")

    monkeypatch.setattr("{{ cookiecutter.project_slug }}.training.tracking.best_results", fail)
    train(configure("logger=comet", "trainer.max_epochs=1"))
    assert Path("models/model.ckpt").is_file()
    assert "Comet lacks results of this run: RuntimeError: no space" in caplog.messages
    assert len(list(Path("run/comet").glob("*.zip"))) == 1


def test_key_goes_online(monkeypatch):
    made = []
    monkeypatch.setattr(
        "{{ cookiecutter.project_slug }}.training.tracking.CometLogger",
        lambda **options: made.append((os.environ.get("COMET_START_ONLINE"), options)),
    )
    monkeypatch.setenv("COMET_START_ONLINE", "")
    monkeypatch.delenv("COMET_START_ONLINE")
    Path(".env").write_text(f"COMET_API_KEY={'0' * 25}\n", encoding="utf-8")
    make_logger("project", "run")
    monkeypatch.delenv("COMET_API_KEY")
    Path(".env").unlink()
    make_logger("project", "run")
    assert [online for online, _ in made] == [None, "0"]
    assert [options["log_env_details"] for _, options in made] == [True, False]
