"""Comet: settings, metrics, figures and the best checkpoint of each run."""

import logging
import os
from pathlib import Path
from typing import Any

from dotenv import load_dotenv
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import CometLogger
from pytorch_lightning.utilities import rank_zero_only

from .results import best_results, only_warn

log = logging.getLogger(__name__)


def make_logger(project: str, folder: str) -> CometLogger:
    """Start an experiment, offline unless a key is set, and make its logger.

    Args:
        project: Name of the Comet project.
        folder: Where an offline experiment is written.
    """
    load_dotenv(".env")
    os.environ.setdefault("COMET_ERROR_TRACKING_ENABLE", "false")
    os.environ["COMET_DISABLE_AUTO_LOGGING"] = "1"  # else it asks to be imported before torch
    from comet_ml import get_config  # type: ignore[attr-defined]

    online = bool(get_config("comet.api_key"))
    if not online:
        os.environ["COMET_START_ONLINE"] = "0"
        logging.getLogger("comet_ml").setLevel(logging.ERROR)
        Path(folder).mkdir(parents=True, exist_ok=True)
    return CometLogger(
        project=project,
        mode="create",
        offline_directory=folder,
        parse_args=False,
        log_env_details=online,  # asks cloud providers over the network about this machine
    )


class Tracking(Callback):
    """Sends the best checkpoint and its predictions on the test split, and ends the experiment.

    Args:
        model_name: Name of the model and of its entry in the model registry.
        candidate: Where the checkpoint is copied to; null keeps it out of the registry.
        samples: How many sample predictions, and how many mistakes at most, are drawn.
    """

    def __init__(self, model_name: str, candidate: str | None, samples: int) -> None:
        self.model_name, self.candidate, self.samples = model_name, candidate, samples

    @rank_zero_only
    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log figures, confusion matrix, table and checkpoint."""
        with only_warn("Comet"):
            self._send(trainer)
        with only_warn("Comet"):
            _end(_experiment(trainer))

    def _send(self, trainer: Trainer) -> None:
        experiment = _experiment(trainer)
        best, step = best_results(trainer, self.samples), trainer.global_step
        experiment.log_model(self.model_name, best.checkpoint, "model.ckpt")
        if self.candidate:
            experiment.register_model(self.model_name, tags=["candidate"])
{%- if cookiecutter.task == "tabular" %}
        if best.classes:
            labels = best.labels.tolist()
            guesses = [best.classes.index(guess) for _, _, guess, _ in best.answers]
            experiment.log_confusion_matrix(labels, guesses, labels=best.classes, step=step)
{%- else %}
        labels = best.labels.tolist()
        guesses = [best.classes.index(guess) for _, _, guess, _ in best.answers]
        experiment.log_confusion_matrix(labels, guesses, labels=best.classes, step=step)
{%- endif %}
        experiment.log_table("predictions.csv", best.answers, best.header)
        for name, figure in best.figures.items():
            experiment.log_figure(name, figure, step=step)

    @rank_zero_only
    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """End the experiment, Ctrl-C included."""
        _end(_experiment(trainer))


def _experiment(trainer: Trainer) -> Any:
    return next(item.experiment for item in trainer.loggers if isinstance(item, CometLogger))


def _end(experiment: Any) -> None:
    experiment.end()
    if path := getattr(experiment, "offline_directory", None):
        archive = os.path.relpath(Path(path, f"{experiment.id}.zip"))
        log.info("Comet is offline. To upload this run: comet upload %s", archive)
