"""Runs one step of the project with the configuration that Hydra composes for it."""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from . import UserError

if TYPE_CHECKING:
    from omegaconf import DictConfig

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def run_hydra(step: str, config: str, overrides: list[str]) -> None:
    """Compose a configuration, and call a function of this package with it.

    Args:
        step: Module and function, such as `training.fit:train`. The module is imported when the
            configuration is there, so that `--help` and `--cfg job` don't wait for PyTorch.
        config: Name of a file in `configs/`.
        overrides: Hydra's command line: `key=value`, `--multirun`, `--cfg job`, `--help`.
    """
    import hydra
    from hydra.errors import ConfigCompositionException, OverrideParseException

    command = sys.argv

    def call_step(cfg: "DictConfig") -> Any:
        sys.argv = command  # DDP starts its other processes with this command line
        module, _, function = step.partition(":")
        try:
            return getattr(import_module(f".{module}", __package__), function)(cfg)
        except Exception as error:
            if cause := fixable(error):
                fail(cause)
            raise

    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # without it, Hydra prints its errors and exits
    sys.argv = [command[0], *overrides]
    try:
        hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=config)(call_step)()
    except (ConfigCompositionException, OverrideParseException) as error:
        fail(error)
    finally:
        sys.argv = command


def fixable(error: Exception) -> BaseException | None:
    """Return the error that the user can fix: this one or its cause; None if the code is wrong."""
    from hydra.errors import InstantiationException
    from omegaconf.errors import OmegaConfBaseException

    if isinstance(error, UserError | OmegaConfBaseException):
        return error
    from lightning_fabric.utilities.exceptions import MisconfigurationException

    if isinstance(error, MisconfigurationException):
        return error
    # Hydra wraps each error of a class that it builds from the configuration
    cause = error.__cause__ if isinstance(error, InstantiationException) else None
    if isinstance(cause, UserError | MisconfigurationException | ValueError):
        return cause
    return None


def fail(error: BaseException) -> NoReturn:
    """Print an error that the user can fix, as one line, and exit with 2."""
    text = " ".join(str(error).split())
    text = text.partition(" Config search path:")[0].partition(" full_key:")[0]
    typer.echo(f"Error: {text}", err=True)
    raise SystemExit(2) from error
