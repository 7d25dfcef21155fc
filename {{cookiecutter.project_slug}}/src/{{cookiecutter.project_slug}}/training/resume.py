"""Continuing a run that was stopped: what fits it, and the command that does it."""

import re
import shlex
import sys
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from pytorch_lightning import LightningModule

from .. import UserError
from ..config_errors import as_text
from ..inference.checkpoint import load_checkpoint


def check_resume(path: str, model: LightningModule) -> None:
    """See that a checkpoint can be continued with these settings, before the run starts.

    Args:
        path: The checkpoint.
        model: The model that is to continue it, whose weights change.

    Raises:
        UserError: The file holds weights only, or belongs to other settings.
    """
    saved = load_checkpoint(path)
    if "optimizer_states" not in saved:
        raise UserError(f"resume: {path} holds weights only; name the last.ckpt of its run")
    settings = saved["hyper_parameters"]
    for name in ("classes", "input_spec"):
        if settings[name] != model.hparams[name]:
            raise UserError(
                f"resume: {path} was trained on other data: its {name} are {settings[name]}, "
                f"those of the data {model.hparams[name]}"
            )
    for name in ("optimizer", "scheduler"):
        before, now = ((hparams[name] or {}).get("name") for hparams in (settings, model.hparams))
        if before != now:
            raise UserError(f"resume: {path} has model.{name}.name {before}, not {now}")
    try:
        model.load_state_dict(saved["state_dict"])
    except RuntimeError as error:  # its first line names the class, the next ones weights
        reason = " ".join(line.strip() for line in str(error).splitlines()[1:2])
        raise UserError(f"resume: {path} is of another network: {reason}") from error


def resume_command(path: Path) -> str:
    """Write the command that continues a run, with the overrides of the command that is running.

    Args:
        path: The checkpoint to continue.
    """
    overrides = HydraConfig.get().overrides.task if HydraConfig.initialized() else []
    kept = [override for override in overrides if not override.startswith("resume=")]
    plain = re.fullmatch(r"[\w./-]+", str(path), re.ASCII)
    resume = f"resume={path}" if plain else as_text("resume", str(path))
    package = __package__.partition(".")[0]
    return f"{shlex.join([sys.executable, '-m', package, 'train', *kept])} {resume}"
