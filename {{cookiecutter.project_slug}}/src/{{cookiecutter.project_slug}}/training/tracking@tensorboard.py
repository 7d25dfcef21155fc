"""TensorBoard: settings, metrics, pictures and the best checkpoint of each run."""

import shutil
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_only

from ..evaluation.report import in_batches, result_figures
from ..inference.predictor import Predictor


class TensorBoardTracking(Callback):
    """Adds what the best checkpoint predicts on the test split, and the checkpoint itself.

    Args:
        pictures: How many sample predictions, and how many mistakes at most, are drawn.
    """

    def __init__(self, pictures: int) -> None:
        self.pictures = pictures

    @rank_zero_only
    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log figures and hyperparameters with their scores, and copy the checkpoint."""
        logger = next(item for item in trainer.loggers if isinstance(item, TensorBoardLogger))
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        checkpoints: Any = trainer.checkpoint_callback
        images, labels = data.arrays("test")
        predictor = Predictor(checkpoints.best_model_path)
        probabilities = in_batches(predictor.predict, images, data.batch_size)
        figures = result_figures(images, labels, probabilities, data.classes, self.pictures)
        for name, figure in figures.items():
            logger.experiment.add_figure(name, figure, trainer.global_step)

        # The HPARAMS page compares the runs that have scores
        scores = {name: float(value) for name, value in trainer.callback_metrics.items()}
        logger.log_hyperparams(logger.hparams, scores, trainer.global_step)
        shutil.copyfile(checkpoints.best_model_path, Path(logger.log_dir, "model.ckpt"))
