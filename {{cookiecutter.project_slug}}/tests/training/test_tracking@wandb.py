import contextlib
import json
import os
import struct
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import example
import pytest
import wandb
from wandb.proto.wandb_internal_pb2 import Record

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor
from {{ cookiecutter.project_slug }}.training.fit import train
from {{ cookiecutter.project_slug }}.training.tracking import make_logger


@pytest.fixture(scope="module", autouse=True)
def no_account(tmp_path_factory):
    """Hide keys and settings of this machine, and keep W&B's files in a folder of the test."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in {"WANDB_API_KEY", "WANDB_MODE", *os.environ}:
            if name.startswith("WANDB_"):
                patch.setenv(name, "")  # restored at the end, when a test or .env has set it
                patch.delenv(name)
        for name in ("HOME", "USERPROFILE", "WANDB_DATA_DIR", "WANDB_CACHE_DIR"):
            patch.setenv(name, str(folder))
        patch.setenv("WANDB_SILENT", "true")
        patch.setenv("WANDB_ERROR_REPORTING", "false")
        yield
        wandb.teardown()


@pytest.fixture(scope="module")
def run(configure, tmp_path_factory):
    """Train, and read the run back."""
    with contextlib.chdir(tmp_path_factory.mktemp("run")):
        train(configure("logger=wandb", "trainer.max_epochs=2"))
        return read_run(Path("run"))


def read_run(folder):
    wandb.teardown()  # returns when W&B's own process has written everything
    (path,) = folder.absolute().glob("wandb/offline-run-*/run-*.wandb")
    run = SimpleNamespace(config={}, history=defaultdict(list), artifacts={}, exits=[])
    run.files = path.parent / "files"
    for record in read_records(path):
        for item in [*record.run.config.update, *record.config.update]:
            run.config[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
        for item in record.history.item:
            run.history[item.key or "/".join(item.nested_key)].append(json.loads(item.value_json))
        if record.HasField("artifact"):
            run.artifacts[record.artifact.type] = record.artifact
        if record.HasField("exit"):
            run.exits.append(record.exit.exit_code)
    return run


def read_records(path):
    """Read a .wandb file: after 7 bytes a LevelDB log of messages, in blocks of 32 KiB."""
    content, position, message = path.read_bytes(), 7, b""
    while position < len(content):
        if (left := 32768 - position % 32768) < 7:
            position += left
            continue
        size, kind = struct.unpack_from("<HB", content, position + 4)
        message += content[position + 7 : position + 7 + size]
        position += 7 + size
        if kind in {1, 4}:  # a whole message, or the last part of one
            yield Record.FromString(message)
            message = b""


def test_settings_and_metrics_are_tracked(run):
    assert run.config["trainer"]["max_epochs"] == 2
    assert run.config["model"]["optimizer"]["lr"] == 0.003
    for split in ("train", "val"):
        assert len(run.history[f"{split}/accuracy"]) == 2
    assert run.history["test/accuracy"][0] > 0.5
    assert run.exits == [0]


def test_figures_and_table_are_tracked(run):
    for name in ("calibration", "confusion_matrix", "mistakes", "samples"):
        assert (run.files / run.history[f"{name}/path"][0]).stat().st_size > 5000
    table = json.loads((run.files / run.history["predictions/path"][0]).read_text("utf-8"))
    assert table["columns"] == ["sample", "name", "true", "predicted", "probability"]
    assert len(table["data"]) == 100
    _, name, true, predicted, _ = table["data"][0]
    assert name
    assert true != predicted  # the hardest sample comes first


def test_best_checkpoint_is_a_versioned_artifact(run):
    artifact = run.artifacts["model"]
    assert artifact.name == "{{ cookiecutter.project_slug }}"
    assert set(artifact.aliases) == {"latest", "candidate"}
    (entry,) = artifact.manifest.contents
    assert entry.path == "model.ckpt"
    assert Path(entry.local_path).is_absolute()
    assert Predictor(entry.local_path).classes == example.CLASSES


def test_nothing_is_a_candidate_unless_it_is_copied(configure):
    train(configure("logger=wandb", "checkpoint=null", "trainer.max_epochs=1"))
    assert list(read_run(Path("run")).artifacts["model"].aliases) == ["latest"]


def test_failed_run_is_ended(configure):
    with pytest.raises(UserError):
        train(configure("logger=wandb", "model.optimizer.lr=-1"))
    assert read_run(Path("run")).exits == [1]
    assert wandb.run is None


def test_a_tracker_that_fails_costs_no_model(configure, monkeypatch, caplog):
    def fail(*arguments):
        raise RuntimeError("no\nspace")

    monkeypatch.setattr("{{ cookiecutter.project_slug }}.training.tracking.best_results", fail)
    train(configure("logger=wandb", "trainer.max_epochs=1"))
    assert Path("models/model.ckpt").is_file()
    assert "Weights & Biases lacks results of this run: RuntimeError: no space" in caplog.messages
    assert read_run(Path("run")).exits == [0]


def test_going_online_without_a_key_is_one_line(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    with pytest.raises(UserError, match="API key") as error:
        make_logger("project", "run")
    assert len(str(error.value).splitlines()) == 1


def test_key_goes_online(monkeypatch):
    modes = []

    def init(**options):
        modes.append(options["mode"])
        return SimpleNamespace(define_metric=lambda *args, **kwargs: None)

    monkeypatch.setattr(wandb, "init", init)
    make_logger("project", "run")
    Path(".env").write_text(f"WANDB_API_KEY={'0' * 40}\n", encoding="utf-8")
    make_logger("project", "run")
    assert modes == ["offline", None]
