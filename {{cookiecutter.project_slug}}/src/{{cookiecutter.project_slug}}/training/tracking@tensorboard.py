"""TensorBoard: settings, metrics, figures and the best checkpoint of each run."""

import shutil
from pathlib import Path

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_only

from .results import best_results, only_warn


class Tracking(Callback):
    """Adds the best checkpoint and its predictions on the test split to the run.

    Args:
        samples: How many sample predictions, and how many mistakes at most, are drawn.
    """

    def __init__(self, samples: int) -> None:
        self.samples = samples

    @rank_zero_only
    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Copy the checkpoint, and log hyperparameters with their scores and figures."""
        with only_warn("TensorBoard"):
            self._send(trainer)

    def _send(self, trainer: Trainer) -> None:
        logger = next(item for item in trainer.loggers if isinstance(item, TensorBoardLogger))
        best = best_results(trainer, self.samples)
        shutil.copyfile(best.checkpoint, Path(logger.log_dir, "model.ckpt"))
        # The HPARAMS page compares the runs that have scores
        logger.log_hyperparams(logger.hparams, best.scores, trainer.global_step)
        for name, figure in best.figures.items():
            logger.experiment.add_figure(name, figure, trainer.global_step)
