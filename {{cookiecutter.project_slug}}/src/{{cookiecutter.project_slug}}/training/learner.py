"""The LightningModule: loss, metrics, optimizer and scheduler around a network."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor

from .. import UserError
from ..datasets.inputs import InputSpec
from ..inference.model import FORMAT
from ..inference.target import target_of
from ..networks.building import check_network
from .augmentation import Augmentation
from .objective import objective_of
from .optimizers import build_optimizer, build_scheduler
from .pretrained import freeze_parts, load_fitting

Batch = tuple[Tensor, Tensor]


class Learner(LightningModule):
    """Trains a network.

    Metrics are computed once per epoch from the saved predictions of its steps: to update them at
    every step costs a small network more than its own forward and backward pass.

    Args:
        network: Class and options of the network, for `build_network`.
        optimizer: Name of a class in `torch.optim`, and its options, for `build_optimizer`.
        scheduler: Name of a class in `torch.optim.lr_scheduler`, and its options, for
            `build_scheduler`; None keeps the learning rate.
        input_spec: The fields of an `InputSpec`: what the inputs are.
        classes: Class names, in the order of the labels.
        data: Settings of the data set and the digest of its arrays, which a checkpoint remembers
            for the commands after the training.
        loss: Settings of the training loss, for `objective_of`. Validation and test report the
            loss without them.
        augmentation: Options of `Augmentation`, for training; None leaves the inputs as they are.
        init_from: A file of weights to start from. No hyperparameter: the checkpoint needs no such
            file.
        freeze: Parts of the network whose weights stay as they are, as for `freeze_parts`.
        compile_network: Run the network through `torch.compile`; checkpoints stay the same.

    Attributes:
        metrics: The names of the metrics of an epoch.
        curves: Their names in the history, for training and validation.
        history: The metrics of each epoch by name, from the first one, before a resume too.

    Raises:
        UserError: A setting does not exist or can't work.
    """

    def __init__(
        self,
        network: dict[str, Any],
        optimizer: dict[str, Any],
        scheduler: dict[str, Any] | None,
        input_spec: dict[str, Any],
        classes: Sequence[str],
        data: Mapping[str, Any] | None = None,
        loss: dict[str, Any] | None = None,
        augmentation: dict[str, Any] | None = None,
        init_from: str | None = None,
        freeze: Sequence[str] = (),
        compile_network: bool = False,
    ) -> None:
        super().__init__()
        # Plain values only, so that weights_only=True can load them; fit.py logs all settings
        self.save_hyperparameters(logger=False, ignore=["init_from", "freeze"])
        spec = InputSpec(**input_spec)
        target = target_of(classes, spec)
        self.network = target.build(network, spec)
        # A network that reads its weights from elsewhere says how it is built without that
        self.hparams["network"] = {**network, **getattr(self.network, "rebuild", {})}
        check_network(self.network, torch.from_numpy(spec.zeros(2)), target.size)
        if init_from:
            load_fitting(self.network, init_from)
        freeze_parts(self.network, freeze)
        if compile_network:
            self.network.compile()
        self.objective = objective_of(target, loss or {})
        self.metrics = ["loss", *self.objective.metrics]
        self.curves = [f"{split}/{name}" for split in ("train", "val") for name in self.metrics]
        try:
            self.augment = Augmentation(spec, **augmentation) if augmentation else None
        except TypeError as error:
            raise UserError(f"model.augmentation: {error}") from error
        self.history: dict[int, dict[str, float]] = {}
        self._steps: defaultdict[str, list[tuple[Tensor, Tensor, Tensor]]] = defaultdict(list)

    def setup(self, stage: str) -> None:
        """Let the objective see the training labels, which its loss may depend on."""
        if stage == "fit":
            data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
            self.objective.prepare(data.arrays("train")[1], next(self.parameters()))

    def forward(self, inputs: Tensor) -> Tensor:
        """Run the network on inputs (batch, *shape of an input): (batch, outputs)."""
        outputs: Tensor = self.network(inputs)
        return outputs

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the batch's mean loss, by the settings `loss`."""
        inputs, labels = batch
        outputs = self(self.augment(inputs) if self.augment else inputs)
        loss = self.objective.training_loss(outputs, labels)
        self._keep("train", loss, outputs, labels)
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Keep the batch's loss and predictions for the end of the epoch."""
        self._evaluate("val", batch)

    def test_step(self, batch: Batch, batch_index: int) -> None:
        """Keep the batch's loss and predictions for the end of the epoch."""
        self._evaluate("test", batch)

    def on_train_epoch_end(self) -> None:
        """Log train/loss and the other metrics."""
        self._log_metrics("train")

    def on_validation_epoch_end(self) -> None:
        """Log val/loss and the other metrics."""
        self._log_metrics("val")

    def on_test_epoch_end(self) -> None:
        """Log test/loss and the other metrics."""
        self._log_metrics("test")

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Make the optimizer and the scheduler that the hyperparameters name.

        Raises:
            UserError: A name or an option does not exist.
        """
        settings = self.hparams["scheduler"]
        optimizer = build_optimizer(self.hparams["optimizer"], self.parameters(), self._trainer)
        if settings is None:
            return {"optimizer": optimizer}
        scheduler: Any = build_scheduler(settings, optimizer, self._trainer)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the format, and the history, which goes on after a resume."""
        checkpoint["format"] = FORMAT
        checkpoint["history"] = self.finished_epochs()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Continue the history of the checkpoint."""
        for row in checkpoint.get("history", []):
            self.history[row["epoch"]] = {name: row[name] for name in self.curves}

    def finished_epochs(self) -> list[dict[str, float]]:
        """Return a row for each epoch that was trained and validated: its number and `curves`."""
        return [
            {"epoch": epoch} | {name: values[name] for name in self.curves}
            for epoch, values in self.history.items()
            if values.keys() >= set(self.curves)
        ]

    def _evaluate(self, split: str, batch: Batch) -> None:
        inputs, labels = batch
        outputs = self(inputs)
        self._keep(split, self.objective.loss(outputs, labels), outputs, labels)

    def _keep(self, split: str, loss: Tensor, outputs: Tensor, labels: Tensor) -> None:
        self._steps[split].append((loss.detach(), self.objective.guess(outputs.detach()), labels))

    def _log_metrics(self, split: str) -> None:
        """Log the metrics of a split, of all processes together.

        Raises:
            UserError: One is not finite.
        """
        steps = self._steps.pop(split, None)
        if steps is None:  # the run was resumed after the last batch of this epoch
            return
        losses, guesses, labels = zip(*steps, strict=True)
        sizes = torch.tensor([len(batch) for batch in labels], device=self.device)
        # The sums of all processes; with one process they stay as they are
        loss, samples, counts = (
            self.trainer.strategy.reduce(part, reduce_op="sum")
            for part in (
                (torch.stack(losses) * sizes).sum(),
                sizes.sum(),
                self.objective.count(torch.cat(guesses), torch.cat(labels)),
            )
        )
        values = torch.stack([loss / samples, *self.objective.measure(counts)]).tolist()
        named = {f"{split}/{name}": value for name, value in zip(self.metrics, values, strict=True)}
        self._refuse_divergence(named)
        self.log_dict(named, sync_dist=True)  # they are equal already: this only tells Lightning so
        self.history.setdefault(self.current_epoch, {}).update(named)

    def _refuse_divergence(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            if not math.isfinite(value):
                raise UserError(
                    f"{name} is {value} in epoch {self.current_epoch}: the training has diverged. "
                    f"Lower model.optimizer.lr ({self.hparams['optimizer'].get('lr')}), or limit "
                    "the gradients, as trainer.gradient_clip_val=1 does"
                )
