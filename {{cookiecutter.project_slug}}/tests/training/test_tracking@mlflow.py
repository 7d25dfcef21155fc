import contextlib
import json
import os
from pathlib import Path

import example
import mlflow
import numpy as np
import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor
from {{ cookiecutter.project_slug }}.training.fit import train
from {{ cookiecutter.project_slug }}.training.tracking import make_logger

NAME = "{{ cookiecutter.project_slug }}"


@pytest.fixture(scope="module", autouse=True)
def no_server():
    """Hide the server and the settings of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in {"MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", *os.environ}:
            if name.startswith("MLFLOW_"):
                patch.setenv(name, "")  # restored at the end, when a test or .env has set it
                patch.delenv(name)
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        yield
        mlflow.set_tracking_uri(None)


@pytest.fixture(scope="module")
def folder(configure, tmp_path_factory):
    """Train three times: a run, one that is not copied to models/, and one that fails."""
    folder = tmp_path_factory.mktemp("mlflow")
    with contextlib.chdir(folder):
        train(configure("logger=mlflow", "trainer.max_epochs=2"))
        short = "trainer.max_epochs=1"
        train(configure("logger=mlflow", short, "checkpoint=null", "run_dir=other"))
        with pytest.raises(UserError):
            train(configure("logger=mlflow", "model.optimizer.lr=-1", "run_dir=failed"))
    return folder


@pytest.fixture(scope="module")
def client(folder):
    return mlflow.MlflowClient(f"sqlite:///{(folder / 'mlflow.db').as_posix()}")


@pytest.fixture(scope="module")
def run(client):
    experiment = client.get_experiment_by_name(NAME)
    runs = client.search_runs([experiment.experiment_id], order_by=["attribute.start_time ASC"])
    assert [run.info.status for run in runs] == ["FINISHED", "FINISHED", "FAILED"]
    assert [run.info.run_name for run in runs] == ["run", "other", "failed"]
    return runs[0]


def test_settings_and_metrics_are_tracked(client, run):
    assert run.data.params["trainer/max_epochs"] == "2"
    assert run.data.params["model/optimizer/lr"] == "0.003"
    assert run.data.metrics["test/accuracy"] > 0.5
    history = client.get_metric_history(run.info.run_id, "val/loss")
    first, second = (metric.step for metric in history)
    assert second == 2 * first + 1  # the last step of each epoch


def test_figures_and_table_are_tracked(client, run, folder):
    artifacts = Path(client.download_artifacts(run.info.run_id, ""))
    assert artifacts.is_relative_to(folder / "mlruns")
    for name in ("calibration", "confusion_matrix", "mistakes", "samples"):
        assert (artifacts / "figures" / f"{name}.png").stat().st_size > 5000
    table = json.loads((artifacts / "predictions.json").read_text("utf-8"))
    assert table["columns"] == ["name", "true", "predicted", "probability"]
    assert len(table["data"]) == len(np.load(folder / example.FOLDER / "test_labels.npy"))


def test_best_checkpoint_is_the_registered_candidate(client, run, tmp_path):
    (version,) = client.search_model_versions(f"name = '{NAME}'")
    candidate = client.get_model_version_by_alias(NAME, "candidate")
    assert candidate.version == version.version
    assert candidate.run_id == run.info.run_id
    assert float(candidate.tags["test/accuracy"]) == run.data.metrics["test/accuracy"]
    mlflow.set_tracking_uri(client.tracking_uri)
    mlflow.artifacts.download_artifacts(f"models:/{NAME}@candidate", dst_path=str(tmp_path))
    assert Predictor(tmp_path / "model.ckpt").classes == example.CLASSES


def test_a_tracker_that_fails_costs_no_model(configure, monkeypatch, caplog):
    def fail(*arguments):
        raise RuntimeError("no\nspace")

    monkeypatch.setattr("{{ cookiecutter.project_slug }}.training.tracking.best_results", fail)
    train(configure("logger=mlflow", "trainer.max_epochs=1"))
    assert Path("models/model.ckpt").is_file()
    assert "MLflow lacks results of this run: RuntimeError: no space" in caplog.messages


def test_dotenv_names_the_server(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)  # MLflow sets it to the store in use
    made = []
    monkeypatch.setattr(
        f"{NAME}.training.tracking.MLFlowLogger",
        lambda experiment, **options: made.append(options["tracking_uri"]),
    )
    make_logger(NAME, "run")
    Path(".env").write_text("MLFLOW_TRACKING_URI=https://mlflow.test\n", encoding="utf-8")
    make_logger(NAME, "run")
    assert made == ["sqlite:///mlflow.db", "https://mlflow.test"]
