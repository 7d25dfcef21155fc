"""Progress of a training run: a bar on a terminal, one plain line for each epoch in a log."""

import sys
from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import ProgressBar, TQDMProgressBar


def make_progress() -> ProgressBar:
    """Return a bar if standard error is a terminal, lines if it is not."""
    return TQDMProgressBar(refresh_rate=20) if sys.stderr.isatty() else EpochLines()


class EpochLines(ProgressBar):
    """Prints the metrics after each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.enabled = True

    def disable(self) -> None:
        """Stop printing: Lightning calls this in all processes but the first."""
        self.enabled = False

    def enable(self) -> None:
        """Print again."""
        self.enabled = True

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the epoch before this one: only now are all its metrics known."""
        self._print_metrics(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the last epoch."""
        self._print_metrics(trainer)

    def _print_metrics(self, trainer: Trainer) -> None:
        scores = sorted(trainer.callback_metrics.items())
        if self.enabled and scores:
            line = "  ".join(f"{name} {float(value):.4f}" for name, value in scores)
            print(f"epoch {trainer.current_epoch}/{trainer.max_epochs}  {line}", flush=True)

    def print(self, *args: Any, **kwargs: Any) -> None:
        """Print the arguments of the LightningModule's `print`."""
        if self.enabled:
            print(*args, **kwargs)
