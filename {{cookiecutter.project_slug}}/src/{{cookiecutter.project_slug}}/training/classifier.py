"""The LightningModule: loss, metrics, optimizer and scheduler around a network."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn import functional as F

from .. import UserError
from ..datasets.inputs import InputSpec
from ..networks.building import build_network, check_network
from .augmentation import Augmentation
from .optimizers import build_optimizer, build_scheduler
from .pretrained import freeze_parts, load_fitting

Batch = tuple[Tensor, Tensor]

METRICS = ("loss", "accuracy", "f1")
CURVES = [f"{split}/{metric}" for split in ("train", "val") for metric in METRICS]


class Classifier(LightningModule):
    """Trains a network to classify samples.

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
        loss: `class_weights` (a weight for each class, `balanced`, or None) and `label_smoothing`
            (0 to 1) of the training loss. Validation and test report plain cross-entropy.
        augmentation: Options of `Augmentation`, for training; None leaves the inputs as they are.
        init_from: A file of weights to start from. No hyperparameter: the checkpoint needs no such
            file.
        freeze: Parts of the network whose weights stay as they are, as for `freeze_parts`.
        compile_network: Run the network through `torch.compile`; checkpoints stay the same.

    Attributes:
        history: The metrics of each epoch by name, from the first one, before a resume too.

    Raises:
        UserError: A setting does not exist or can't work.
    """

    class_weights: Tensor | None

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
        self.network = build_network(network, spec.network_options(), len(classes))
        # A network that reads its weights from elsewhere says how it is built without that
        self.hparams["network"] = {**network, **getattr(self.network, "rebuild", {})}
        check_network(self.network, torch.from_numpy(spec.zeros(2)), len(classes))
        if init_from:
            load_fitting(self.network, init_from)
        freeze_parts(self.network, freeze)
        if compile_network:
            self.network.compile()
        weights, self.label_smoothing = _loss_settings(loss or {}, len(classes))
        # No part of the checkpoint, where only the network's weights belong
        self.register_buffer("class_weights", weights, persistent=False)
        try:
            self.augment = Augmentation(spec, **augmentation) if augmentation else None
        except TypeError as error:
            raise UserError(f"model.augmentation: {error}") from error
        self.history: dict[int, dict[str, float]] = {}
        self._steps: defaultdict[str, list[tuple[Tensor, Tensor, Tensor]]] = defaultdict(list)

    def setup(self, stage: str) -> None:
        """Weigh the classes by the training labels, where the settings say `balanced`."""
        if stage == "fit" and (self.hparams["loss"] or {}).get("class_weights") == "balanced":
            data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
            labels = torch.from_numpy(data.arrays("train")[1])
            counts = torch.bincount(labels, minlength=len(self.hparams["classes"]))
            weights = len(labels) / (len(counts) * counts.clamp(min=1))
            self.class_weights = weights.to(next(self.parameters()))  # device and dtype

    def forward(self, inputs: Tensor) -> Tensor:
        """Classify inputs (batch, *shape of an input): logits (batch, classes)."""
        logits: Tensor = self.network(inputs)
        return logits

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the batch's mean loss, by the settings `loss`."""
        inputs, labels = batch
        logits = self(self.augment(inputs) if self.augment else inputs)
        loss = F.cross_entropy(
            logits, labels, self.class_weights, label_smoothing=self.label_smoothing
        )
        self._keep("train", loss, logits, labels)
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Keep the batch's loss and predictions for the end of the epoch."""
        self._evaluate("val", batch)

    def test_step(self, batch: Batch, batch_index: int) -> None:
        """Keep the batch's loss and predictions for the end of the epoch."""
        self._evaluate("test", batch)

    def on_train_epoch_end(self) -> None:
        """Log train/loss, train/accuracy and train/f1."""
        self._log_metrics("train")

    def on_validation_epoch_end(self) -> None:
        """Log val/loss, val/accuracy and val/f1."""
        self._log_metrics("val")

    def on_test_epoch_end(self) -> None:
        """Log test/loss, test/accuracy and test/f1."""
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
        """Add the history: it belongs to these weights, and goes on after a resume."""
        checkpoint["history"] = self.finished_epochs()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Continue the history of the checkpoint."""
        for row in checkpoint.get("history", []):
            self.history[row["epoch"]] = {name: row[name] for name in CURVES}

    def finished_epochs(self) -> list[dict[str, float]]:
        """Return a row for each epoch that was trained and validated: its number and `CURVES`."""
        return [
            {"epoch": epoch} | {name: values[name] for name in CURVES}
            for epoch, values in self.history.items()
            if values.keys() >= set(CURVES)
        ]

    def _evaluate(self, split: str, batch: Batch) -> None:
        inputs, labels = batch
        logits = self(inputs)
        self._keep(split, F.cross_entropy(logits, labels), logits, labels)

    def _keep(self, split: str, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        self._steps[split].append((loss.detach(), logits.detach().argmax(dim=1), labels))

    def _log_metrics(self, split: str) -> None:
        """Log the metrics of a split, of all processes together.

        Raises:
            UserError: One is not finite.
        """
        steps = self._steps.pop(split, None)
        if steps is None:  # the run was resumed after the last batch of this epoch
            return
        losses, predictions, labels = zip(*steps, strict=True)
        sizes = torch.tensor([len(batch) for batch in labels], device=self.device)
        classes = len(self.hparams["classes"])
        pairs = torch.cat(labels) * classes + torch.cat(predictions)
        confusion = torch.bincount(pairs, minlength=classes**2)
        loss = (torch.stack(losses) * sizes).sum()
        # The sums of all processes; with one process they stay as they are
        confusion = self.trainer.strategy.reduce(confusion, reduce_op="sum")
        loss = self.trainer.strategy.reduce(loss, reduce_op="sum")
        accuracy, f1 = accuracy_and_f1(confusion.view(classes, classes))
        values = torch.stack([loss / confusion.sum(), accuracy, f1]).tolist()
        named = {f"{split}/{metric}": value for metric, value in zip(METRICS, values, strict=True)}
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


def accuracy_and_f1(confusion: Tensor) -> tuple[Tensor, Tensor]:
    """Compute accuracy and macro F1, 0 to 1, the latter over the classes that occur.

    Args:
        confusion: Samples of each true class (row) and predicted class (column).
    """
    right = confusion.diag()
    occurs = confusion.sum(dim=0) + confusion.sum(dim=1)
    f1 = (2 * right / occurs)[occurs > 0]
    return right.sum() / confusion.sum(), f1.mean()


def _loss_settings(loss: dict[str, Any], classes: int) -> tuple[Tensor | None, float]:
    """Return the class weights that are known before training, and the label smoothing."""
    weights, smoothing = loss.get("class_weights"), loss.get("label_smoothing", 0.0)
    if not (isinstance(smoothing, int | float) and 0 <= smoothing <= 1):
        raise UserError(f"model.loss.label_smoothing is {smoothing!r}: it goes from 0 to 1")
    if weights is None or weights == "balanced":
        return None, smoothing
    if not (
        isinstance(weights, list)
        and len(weights) == classes
        and all(isinstance(weight, int | float) and weight >= 0 for weight in weights)
    ):
        raise UserError(
            f"model.loss.class_weights is {weights}: give null, balanced or {classes} numbers, "
            "one for each class"
        )
    return torch.tensor(weights, dtype=torch.float32), smoothing
