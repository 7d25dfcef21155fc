"""The optimizer and the scheduler of the learning rate that the settings name."""

from collections.abc import Iterable
from typing import Any

import torch
from pytorch_lightning import Trainer
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LinearLR, SequentialLR

from .. import UserError

# Stands for a number that only the trainer knows: the steps of the scheduler in the whole run
ALL_STEPS = "all_steps"


def build_optimizer(
    settings: dict[str, Any], parameters: Iterable[nn.Parameter], trainer: Trainer | None
) -> Optimizer:
    """Make an optimizer.

    Args:
        settings: Name of a class in `torch.optim`, and its options.
        parameters: What it trains.
        trainer: The trainer that runs it; None outside of a run.

    Raises:
        UserError: There is no such class, or it can't work with these options.
    """
    options = dict(settings)
    if trainer and trainer.gradient_clip_val and "mixed" in str(trainer.precision):
        options.pop("fused", None)  # Lightning can't clip for fused optimizers there
    optimizer: Optimizer = _build(torch.optim, "optimizer", options, parameters)
    return optimizer


def build_scheduler(
    settings: dict[str, Any], optimizer: Optimizer, trainer: Trainer | None
) -> dict[str, Any]:
    """Make a scheduler, as a dictionary that Lightning reads.

    Args:
        settings: Name of a class in `torch.optim.lr_scheduler`, and its options, of which the value
            `all_steps` stands for the number of its steps in the run. `interval` says whether it
            steps once an `epoch` or at every `step` of the optimizer; `warmup` is the share of its
            steps, 0 to 1, in which the rate first rises from nearly zero.
        optimizer: The optimizer whose rate it changes.
        trainer: The trainer that runs it; None outside of a run.

    Raises:
        UserError: There is no such class, or it can't work with these options or this trainer.
    """
    options = dict(settings)
    interval, share = options.pop("interval", "epoch"), options.pop("warmup", 0.0)
    if interval not in {"epoch", "step"}:
        raise UserError(f"model.scheduler.interval is {interval!r}: it is epoch or step")
    if not (isinstance(share, int | float) and 0 <= share < 1):
        raise UserError(f"model.scheduler.warmup is {share!r}: it is a share, from 0 to below 1")
    warmup = 0
    if share or ALL_STEPS in options.values():
        steps = _count_steps(trainer, interval)
        # One step at least of each: a longer run can continue this one with the same schedulers
        warmup = max(1, round(share * steps)) if share else 0
        left = max(1, steps - warmup)
        options = {key: left if value == ALL_STEPS else value for key, value in options.items()}
    scheduler = _build(torch.optim.lr_scheduler, "scheduler", options, optimizer)
    if warmup:
        rise = LinearLR(optimizer, start_factor=1 / (warmup + 1), total_iters=warmup)
        scheduler = SequentialLR(optimizer, [rise, scheduler], milestones=[warmup])
    return {"scheduler": scheduler, "interval": interval, "monitor": "val/loss"}


def _count_steps(trainer: Trainer | None, interval: str) -> int:
    steps: float = -1
    if trainer and trainer.max_epochs is not None:
        steps = trainer.estimated_stepping_batches if interval == "step" else trainer.max_epochs
    if not 0 < steps < float("inf"):
        raise UserError("model.scheduler needs the length of the run: set trainer.max_epochs")
    return int(steps)


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
