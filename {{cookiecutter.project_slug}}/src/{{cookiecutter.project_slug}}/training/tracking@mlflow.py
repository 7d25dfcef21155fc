"""MLflow: settings, metrics, figures and the best checkpoint of each run."""

import logging
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dotenv import load_dotenv
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import MLFlowLogger
from pytorch_lightning.utilities import rank_zero_only

from .results import best_results, only_warn

log = logging.getLogger(__name__)


def make_logger(project: str, folder: str) -> MLFlowLogger:
    """Make a logger for `mlflow.db` in this folder, or for the server MLFLOW_TRACKING_URI names.

    Args:
        project: Name of the MLflow experiment, made by the first run.
        folder: The run's folder, which names the run: MLflow draws its own names from Python's
            random generator, so that all runs with one seed would have one name.
    """
    load_dotenv(".env")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("pytorch_lightning.loggers.mlflow").setLevel(logging.ERROR)
    uri = os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"
    name = "/".join(Path(folder).parts[-2:])
    return MLFlowLogger(project, run_name=name, tracking_uri=uri)


class Tracking(Callback):
    """Sends the best checkpoint and its predictions on the test split, and registers it.

    Args:
        model_name: Name of the registered model.
        candidate: Where the checkpoint is copied to; null keeps it out of the registry.
        samples: How many sample predictions, and how many mistakes at most, are drawn.
    """

    def __init__(self, model_name: str, candidate: str | None, samples: int) -> None:
        self.model_name, self.candidate, self.samples = model_name, candidate, samples

    @rank_zero_only
    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log figures, table and checkpoint, and register a version of the model."""
        with only_warn("MLflow"):
            self._send(trainer)

    def _send(self, trainer: Trainer) -> None:
        logger: Any = next(item for item in trainer.loggers if isinstance(item, MLFlowLogger))
        client, run = logger.experiment, logger.run_id
        best = best_results(trainer, self.samples)
        columns = map(list, zip(*best.answers, strict=True))
        table = dict(zip(best.header, columns, strict=True))
        client.log_table(run, table, "predictions.json")
        with TemporaryDirectory() as folder:
            copy = shutil.copyfile(best.checkpoint, Path(folder, "model.ckpt"))
            client.log_artifact(run, copy, "model")
        if self.candidate:
            if not client.search_registered_models(f"name = '{self.model_name}'"):
                client.create_registered_model(self.model_name)
            source = f"{client.get_run(run).info.artifact_uri}/model"
            version = client.create_model_version(self.model_name, source, run, best.scores).version
            client.set_registered_model_alias(self.model_name, "candidate", version)
            log.info("MLflow registered %s version %s as candidate", self.model_name, version)
        for name, figure in best.figures.items():
            client.log_figure(run, figure, f"figures/{name}.png")
