"""The LightningModule: loss, metrics, optimizer and scheduler around a network."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn import functional as F
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

from .. import UserError
from ..networks.base import build_network, check_network

Batch = tuple[Tensor, Tensor]


class Classifier(LightningModule):
    """Trains a network to classify images.

    Metrics are computed once per epoch from the saved predictions of its steps: to update them at
    every step costs a small network more than its own forward and backward pass.

    Args:
        network: Class and options of the network, for `build_network`.
        optimizer: Name of a class in `torch.optim`, and its options.
        scheduler: Name of a class in `torch.optim.lr_scheduler`, stepped once per epoch, and its
            options; None keeps the learning rate.
        loss: `class_weights` (a weight for each class, `balanced`, or None) and `label_smoothing`
            (0 to 1) of the training loss. Validation and test report plain cross-entropy.
        augmentation: Random changes of the training images; None leaves them as they are.
        image_shape: Channels, height and width of the images, the sides in pixels.
        classes: Class names, in the order of the labels.
        fit: How pictures were brought to `image_shape`; predictions do the same.
        data: Settings of the data set and the digest of its arrays, which a checkpoint remembers
            for the commands after the training.
        compile_network: Run the network through `torch.compile`; checkpoints stay the same.
    """

    def __init__(
        self,
        network: dict[str, Any],
        optimizer: dict[str, Any],
        scheduler: dict[str, Any] | None,
        image_shape: Sequence[int],
        classes: Sequence[str],
        fit: str = "stretch",
        data: Mapping[str, Any] | None = None,
        loss: dict[str, Any] | None = None,
        augmentation: dict[str, Any] | None = None,
        compile_network: bool = False,
    ) -> None:
        super().__init__()
        # Plain values only, so that weights_only=True can load them; fit.py logs all settings
        self.save_hyperparameters(logger=False)
        self.network = build_network(network, image_shape, len(classes))
        check_network(self.network, image_shape, len(classes))
        if compile_network:
            self.network.compile()
        weights, self.label_smoothing = _loss_settings(loss or {}, len(classes))
        # No part of the checkpoint, where only the network's weights belong
        self.register_buffer("class_weights", weights, persistent=False)
        self.loss = MeanMetric()
        self.accuracy = MulticlassAccuracy(len(classes), average="micro", validate_args=False)
        self.f1 = MulticlassF1Score(len(classes), average="macro", validate_args=False)
        self._steps: defaultdict[str, list[tuple[Tensor, Tensor, Tensor]]] = defaultdict(list)

    def setup(self, stage: str) -> None:
        """Weigh the classes by the training labels, where the settings say `balanced`."""
        if stage == "fit" and (self.hparams["loss"] or {}).get("class_weights") == "balanced":
            data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
            labels = torch.from_numpy(data.arrays("train")[1])
            counts = torch.bincount(labels, minlength=len(self.hparams["classes"]))
            self.class_weights = (len(labels) / (len(counts) * counts)).to(self.device)

    def forward(self, images: Tensor) -> Tensor:
        """Classify uint8 images (batch, channels, height, width): logits (batch, classes)."""
        logits: Tensor = self.network(images)
        return logits

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the batch's mean loss, by the settings `loss`."""
        images, labels = batch
        logits = self(images)
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
        settings = dict(self.hparams["optimizer"])
        trainer = self._trainer
        if trainer and trainer.gradient_clip_val and "mixed" in str(trainer.precision):
            settings.pop("fused", None)  # Lightning can't clip for fused optimizers there
        optimizer = _build(torch.optim, "optimizer", settings, self.parameters())
        if self.hparams["scheduler"] is None:
            return {"optimizer": optimizer}
        scheduler = _build(
            torch.optim.lr_scheduler, "scheduler", self.hparams["scheduler"], optimizer
        )
        return {"optimizer": optimizer, "lr_scheduler": scheduler, "monitor": "val/loss"}

    def _evaluate(self, split: str, batch: Batch) -> None:
        images, labels = batch
        logits = self(images)
        self._keep(split, F.cross_entropy(logits, labels), logits, labels)

    def _keep(self, split: str, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        self._steps[split].append((loss.detach(), logits.detach().argmax(dim=1), labels))

    def _log_metrics(self, split: str) -> None:
        steps = self._steps.pop(split, None)
        if steps is None:  # the run was resumed after the last batch of this epoch
            return
        losses, predictions, labels = zip(*steps, strict=True)
        sizes = torch.tensor([len(batch) for batch in labels], device=self.device)
        self.loss.update(torch.stack(losses), weight=sizes)
        self.accuracy.update(torch.cat(predictions), torch.cat(labels))
        self.f1.update(torch.cat(predictions), torch.cat(labels))
        for name, metric in {"loss": self.loss, "accuracy": self.accuracy, "f1": self.f1}.items():
            # compute() has gathered all processes: sync_dist only tells Lightning so
            self.log(f"{split}/{name}", metric.compute(), sync_dist=True)
            metric.reset()


def _loss_settings(loss: dict[str, Any], classes: int) -> tuple[Tensor | None, float]:
    """Return the class weights that are known before training, and the label smoothing."""
    weights, smoothing = loss.get("class_weights"), loss.get("label_smoothing", 0.0)
    if not 0 <= smoothing <= 1:
        raise UserError(f"model.loss.label_smoothing is {smoothing}: it goes from 0 to 1")
    if weights in (None, "balanced"):
        return None, smoothing
    if not isinstance(weights, list) or len(weights) != classes:
        raise UserError(
            f"model.loss.class_weights is {weights}: give null, balanced or {classes} numbers, "
            "one for each class"
        )
    return torch.tensor(weights, dtype=torch.float32), smoothing


def _build(module: Any, what: str, settings: dict[str, Any], target: Any) -> Any:
    """Build an optimizer or a scheduler for `target`.

    Args:
        module: The module of its class.
        what: `optimizer` or `scheduler`, for messages.
        settings: The name of the class, and its options.
        target: Parameters for an optimizer, an optimizer for a scheduler.
    """
    options = dict(settings)
    name = options.pop("name", None)
    class_ = getattr(module, str(name), None)
    if not isinstance(class_, type):
        raise UserError(f"model.{what}.name is {name!r}, which is no class in {module.__name__}")
    try:
        return class_(target, **options)
    except (TypeError, ValueError) as error:
        raise UserError(f"model.{what}: {error}") from error
