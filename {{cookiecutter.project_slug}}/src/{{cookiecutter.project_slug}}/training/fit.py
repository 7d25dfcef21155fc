"""Training: data, model and trainer are built from the configuration, fitted and tested."""

import logging
import os
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning import LightningModule, Trainer, seed_everything
from pytorch_lightning.accelerators import CPUAccelerator

from .. import UserError
from ..datasets.base import build_data, plain_settings
from ..inference.checkpoint import load_checkpoint
from ..inference.model_file import replacing
from .progress import make_progress
from .resume import check_resume, resume_command
from .source import source_commit

log = logging.getLogger(__name__)


def train(cfg: DictConfig) -> float:
    """Train a model, test its best checkpoint and copy that to `cfg.checkpoint`.

    A sweep copies nothing: the checkpoints of its jobs stay in their own folders.

    Args:
        cfg: `configs/train.yaml`, composed.

    Returns:
        The best value of the metric that the checkpoint callback monitors, for sweepers.

    Raises:
        UserError: A setting can't work, such as a checkpoint to resume that does not exist.
    """
    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        cfg.checkpoint = None  # the tracker's `candidate` refers to it, and is off with it

    if not (isinstance(cfg.seed, int) and 0 <= cfg.seed < 2**32):
        raise UserError(f"seed is {cfg.seed!r}: give a whole number from 0 to {2**32 - 1}")
    set_threads(cfg.threads)
    seed_everything(cfg.seed, workers=True, verbose=False)
    data = build_data(cfg.data)
    data.prepare_data()
    model = instantiate(
        cfg.model,
        input_spec=asdict(data.input_spec),
        classes=data.classes,
        data={"settings": plain_settings(cfg.data), "digest": data.digest},
    )
    if cfg.resume:
        check_resume(cfg.resume, model)
    trainer = make_trainer(cfg)
    if cfg.trainer.fast_dev_run:
        return try_once(trainer, model, data)

    checkpoints: Any = trainer.checkpoint_callback
    last = Path(checkpoints.dirpath, "last.ckpt")
    try:
        trainer.fit(model, data, ckpt_path=cfg.resume or None, weights_only=True)
    except SystemExit as stop:  # Lightning caught Ctrl-C and let the callbacks save
        if last.is_file() and trainer.is_global_zero:
            log.warning("Stopped. To continue: %s", resume_command(last))
        raise SystemExit(130) from stop
    if checkpoints.best_model_score is None:
        raise UserError(why_no_epoch(cfg, trainer))
    trainer.save_checkpoint(last)

    best = Path(checkpoints.best_model_path)
    trainer.test(model, data, ckpt_path=best, weights_only=True, verbose=False)
    scores = {name: float(value) for name, value in trainer.callback_metrics.items()}
    if trainer.is_global_zero:
        log.info("Test: %s", "  ".join(f"{name} {value:.4f}" for name, value in scores.items()))
        if cfg.checkpoint:
            best = promote(best, Path(cfg.checkpoint), scores, model.finished_epochs())
        log.info("Best checkpoint: %s", best)
    return float(checkpoints.best_model_score)


def set_threads(threads: int | None) -> None:
    """Set the CPU threads of this process; None leaves their number to PyTorch.

    Raises:
        UserError: It is no number of threads.
    """
    if threads is None:
        return
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise UserError(f"threads is {threads!r}: give a whole number from 1, or null")
    torch.set_num_threads(threads)


def make_trainer(cfg: DictConfig) -> Trainer:
    """Build the trainer with callbacks, loggers and profiler, and log the configuration.

    Raises:
        UserError: A setting of the trainer can't work.
    """
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # Lightning 2.6 on torch 2.13
    # Of steps, which few samples make few of: what is logged here are epochs
    warnings.filterwarnings("ignore", message=".*the logging interval.*")
    wanted = dict(cfg.callbacks)
    if cfg.trainer.fast_dev_run:  # without trackers, and their callbacks have the same names
        wanted = {name: callback for name, callback in wanted.items() if name not in cfg.logger}
    callbacks = [instantiate(callback) for callback in wanted.values()]
    try:
        trainer: Trainer = instantiate(
            cfg.trainer,
            callbacks=[*callbacks, make_progress()],
            logger=False,
            profiler=instantiate(cfg.profiler),
        )
    except InstantiationException as error:
        raise UserError(f"trainer: {error.__cause__ or error}") from error
    refuse_settings(trainer)
    if not cfg.trainer.fast_dev_run:  # a tracker starts its run here, when the trainer is right
        trainer.loggers = [instantiate(logger) for logger in cfg.logger.values()]
    settings: Any = OmegaConf.to_container(cfg, resolve=True)
    for logger in trainer.loggers:
        logger.log_hyperparams(settings)
    return trainer


def refuse_settings(trainer: Trainer) -> None:
    """Refuse settings that can't train, validate and test at least one batch.

    Raises:
        UserError: Says which.
    """
    epochs = trainer.max_epochs
    if epochs == 0 or not isinstance(epochs, int | None):
        raise UserError(f"trainer.max_epochs is {epochs!r}: give a whole number from 1")
    for name in ("limit_train_batches", "limit_val_batches", "limit_test_batches"):
        if getattr(trainer, name) == 0:
            raise UserError(f"trainer.{name} is 0: every run trains, validates and tests")
    cores = os.cpu_count() or 1
    # Two processes are right for a trial on any machine
    if isinstance(trainer.accelerator, CPUAccelerator) and trainer.num_devices > max(cores, 2):
        raise UserError(f"trainer.devices is {trainer.num_devices}: there are {cores} CPU cores")


def why_no_epoch(cfg: DictConfig, trainer: Trainer) -> str:
    """Say why a run that has ended has no best epoch."""
    if cfg.resume and trainer.global_step == load_checkpoint(cfg.resume)["global_step"]:
        return f"resume: no epoch is left after {cfg.resume}; raise trainer.max_epochs"
    return (
        "the run ended before its first validation, so no epoch is the best: look at "
        "trainer.max_steps, trainer.max_time and trainer.check_val_every_n_epoch"
    )


def try_once(trainer: Trainer, model: LightningModule, data: Any) -> float:
    """Run one batch of each split, as `trainer.fast_dev_run` says, and keep nothing of it."""
    trainer.fit(model, data)
    trainer.test(model, data, verbose=False)
    log.info("trainer.fast_dev_run: training, validation and test pass; no checkpoint is kept")
    return float(trainer.callback_metrics["test/loss"])


def promote(
    best: Path, target: Path, scores: dict[str, float], history: list[dict[str, float]]
) -> Path:
    """Copy a checkpoint to `target`, with its metrics, history and the commit that trained it.

    Args:
        best: A checkpoint that Lightning wrote.
        target: The file that `evaluate` and the other commands read. It is replaced at once: when
            the copy can't be completed, the old file stays.
        scores: Metrics of the test split by name, such as `test/accuracy`.
        history: The metrics of each epoch.

    Returns:
        `target`.

    Raises:
        UserError: The checkpoint's weights are not finite, or `target` can't be written.
    """
    saved = load_checkpoint(best)
    damaged = [name for name, weight in saved["state_dict"].items() if not weight.isfinite().all()]
    if damaged:
        raise UserError(f"{best}: {damaged[0]} is not finite; {target} stays as it was")
    saved["metrics"] = {name.removeprefix("test/"): value for name, value in scores.items()}
    saved["history"] = history
    saved["commit"] = source_commit()
    try:
        with replacing(target) as partial:
            torch.save(saved, partial)
    except (OSError, RuntimeError) as error:
        raise UserError(f"{target} can't be written ({error}); the best epoch is {best}") from error
    return target
