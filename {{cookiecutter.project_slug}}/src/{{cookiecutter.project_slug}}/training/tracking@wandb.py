"""Weights & Biases: settings, metrics, figures and the best checkpoint of each run."""

import logging
import os
from pathlib import Path
from typing import Any

from dotenv import load_dotenv
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_only

from .. import UserError
from ..evaluation.samples import show
from .results import best_results, only_warn

log = logging.getLogger(__name__)


def make_logger(project: str, folder: str) -> WandbLogger:
    """Start a run, offline unless a key or WANDB_MODE is set, and make its logger.

    Args:
        project: Name of the W&B project.
        folder: Where the run's files are written.

    Raises:
        UserError: W&B is to go online and can't.
    """
    load_dotenv(".env")
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    # Files that wait for their upload stay in the project, not in the home folder
    for name in ("WANDB_DATA_DIR", "WANDB_CACHE_DIR"):
        os.environ.setdefault(name, str(Path(".cache/wandb").absolute()))
    return WandbLogger(project=project, save_dir=folder, experiment=_start_run(project, folder))


@rank_zero_only
def _start_run(project: str, folder: str) -> Any:
    import wandb  # reads the environment

    known = os.environ.get("WANDB_MODE") or wandb.login(prompt=False, verify=False)
    directory = Path(folder).absolute()  # W&B's own process may have started in another folder
    directory.mkdir(parents=True, exist_ok=True)
    try:
        run = wandb.init(
            project=project,
            dir=directory,
            mode=None if known else "offline",
            settings=wandb.Settings(silent=not known),
        )
    except wandb.Error as error:  # WANDB_MODE=online without a key, or without a network
        raise UserError(f"W&B is not online: {error} WANDB_MODE=offline needs no key") from error
    run.define_metric("*", step_metric="trainer/global_step", step_sync=True)
    return run


class Tracking(Callback):
    """Sends the best checkpoint and its predictions on the test split, and ends the run.

    Args:
        model_name: Name of the artifact and of its collection in the model registry.
        candidate: Where the checkpoint is copied to; null keeps it out of the registry.
        samples: How many sample predictions, and how many mistakes at most, are drawn.
        rows: How many test samples the table holds, the hardest first.
    """

    def __init__(self, model_name: str, candidate: str | None, samples: int, rows: int) -> None:
        self.model_name, self.candidate = model_name, candidate
        self.samples, self.rows = samples, rows

    @rank_zero_only
    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log figures, table and checkpoint."""
        import wandb

        with only_warn("Weights & Biases"):
            self._send(trainer, wandb.run)
        with only_warn("Weights & Biases"):
            _end_run(wandb.run)

    def _send(self, trainer: Trainer, run: Any) -> None:
        import wandb

        best = best_results(trainer, self.samples)
        artifact = wandb.Artifact(self.model_name, "model", metadata=best.scores)
        artifact.add_file(best.checkpoint, "model.ckpt", policy="immutable")
        run.log_artifact(artifact, aliases=["latest", "candidate"] if self.candidate else None)
        if self.candidate and not run.offline:
            try:
                run.link_artifact(artifact, f"wandb-registry-model/{self.model_name}")
            except (ValueError, wandb.Error) as error:
                log.warning("W&B did not link the model to its registry: %s", error)

        table = wandb.Table(["sample", *best.header])
        for i in best.hardest[: self.rows]:
            sample = {{ "wandb.Image(show(best.inputs[i], best.spec))" if cookiecutter.task == "image" else "show(best.inputs[i], best.spec)" }}
            table.add_data(sample, *best.answers[i])
        logged = {name: wandb.Image(figure) for name, figure in best.figures.items()}
        run.log({**logged, "predictions": table, "trainer/global_step": trainer.global_step})

    @rank_zero_only
    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """End the run as failed, Ctrl-C included."""
        import wandb

        if wandb.run:
            _end_run(wandb.run, exit_code=1)


def _end_run(run: Any, exit_code: int = 0) -> None:
    run.finish(exit_code)
    if run.offline:
        folder = os.path.relpath(Path(run.dir).parent)
        log.info("W&B is offline. To upload this run: wandb sync %s", folder)
