"""Training: data, model and trainer are built from the configuration, fitted and tested."""

import csv
import logging
import warnings
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning import Trainer, seed_everything

from .. import UserError
from ..datasets.base import build_data, plain_settings
from ..inference.checkpoint import load_checkpoint
from .progress import make_progress
from .source import source_commit

log = logging.getLogger(__name__)

METRICS = ("loss", "accuracy", "f1")
CURVES = [f"{split}/{metric}" for split in ("train", "val") for metric in METRICS]


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
    if cfg.resume and "optimizer_states" not in load_checkpoint(cfg.resume):
        raise UserError(f"resume: {cfg.resume} holds weights only; name the last.ckpt of its run")
    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        cfg.checkpoint = None  # the tracker's `candidate` refers to it, and is off with it

    seed_everything(cfg.seed, workers=True, verbose=False)
    data = build_data(cfg.data)
    data.prepare_data()
    model = instantiate(
        cfg.model,
        image_shape=data.image_shape,
        classes=data.classes,
        fit=data.fit,
        data={"settings": plain_settings(cfg.data), "digest": data.digest},
    )
    trainer = make_trainer(cfg)
    checkpoints: Any = trainer.checkpoint_callback
    last = Path(checkpoints.dirpath, "last.ckpt")
    try:
        trainer.fit(model, data, ckpt_path=cfg.resume, weights_only=True)
    except SystemExit as stop:  # Lightning caught Ctrl-C and let the callbacks save
        if last.is_file():
            log.warning("Stopped. To continue: train resume=%s", last)
        raise SystemExit(130) from stop
    if checkpoints.best_model_score is None:
        raise UserError("resume: no epoch is left to train; raise trainer.max_epochs")
    trainer.save_checkpoint(last)

    best = Path(checkpoints.best_model_path)
    trainer.test(model, data, ckpt_path=best, weights_only=True, verbose=False)
    scores = {name: float(value) for name, value in trainer.callback_metrics.items()}
    if trainer.is_global_zero:
        log.info("Test: %s", "  ".join(f"{name} {value:.4f}" for name, value in scores.items()))
        if cfg.checkpoint:
            best = promote(best, Path(cfg.checkpoint), scores)
            write_history(Path(cfg.run_dir, "csv/metrics.csv"), best.with_name("history.csv"))
        log.info("Best checkpoint: %s", best)
    return float(checkpoints.best_model_score)


def make_trainer(cfg: DictConfig) -> Trainer:
    """Build the trainer with callbacks, loggers and profiler, and log the configuration."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # Lightning 2.6 on torch 2.13
    callbacks = [instantiate(callback) for callback in cfg.callbacks.values()]
    loggers = [instantiate(logger) for logger in cfg.logger.values()]
    trainer: Trainer = instantiate(
        cfg.trainer,
        callbacks=[*callbacks, make_progress()],
        logger=loggers,
        profiler=instantiate(cfg.profiler),
    )
    settings: Any = OmegaConf.to_container(cfg, resolve=True)
    for logger in loggers:
        logger.log_hyperparams(settings)
    return trainer


def promote(best: Path, target: Path, scores: dict[str, float]) -> Path:
    """Copy a checkpoint to `target`, with its test metrics and the commit that trained it.

    Args:
        best: A checkpoint that Lightning wrote.
        target: The file that `evaluate` and the other commands read.
        scores: Metrics of the test split by name, such as `test/accuracy`.

    Returns:
        `target`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    saved = load_checkpoint(best)
    saved["metrics"] = {name.removeprefix("test/"): value for name, value in scores.items()}
    saved["commit"] = source_commit()
    torch.save(saved, target)
    return target


def write_history(source: Path, target: Path) -> None:
    """Copy the CSV log with one row for each epoch: Lightning writes one for each split."""
    epochs: dict[int, dict[str, str]] = {}
    with source.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            values = {name: value for name, value in row.items() if value and name != "step"}
            epochs.setdefault(int(row["epoch"]), {}).update(values)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(
            file, ["epoch", *CURVES], extrasaction="ignore", lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(row for row in epochs.values() if row.keys() >= set(CURVES))
