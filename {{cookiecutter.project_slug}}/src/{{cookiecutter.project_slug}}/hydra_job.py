"""Runs one step of the project with the configuration that Hydra composes for it."""

import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from . import UserError

if TYPE_CHECKING:
    from omegaconf import DictConfig

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
if not CONFIGS.is_dir():  # a wheel holds them inside the package
    CONFIGS = Path(__file__).with_name("configs")


def run_hydra(step: str, config: str, overrides: list[str]) -> None:
    """Compose a configuration, and call a function of this package with it.

    Args:
        step: Module and function, such as `training.fit:train`. The module is imported when the
            configuration is there, so that `--help` and `--cfg job` don't wait for PyTorch.
        config: Name of a file in `configs/`.
        overrides: Hydra's command line: `key=value`, `--multirun`, `--cfg job`, `--help`.
    """
    # Until the step runs, Ctrl-C ends the process: Hydra and imports could turn it into an error
    handler = signal.signal(signal.SIGINT, signal.SIG_DFL)

    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from .config_errors import expand_home, explain, fixable, refuse_empty

    command = sys.argv
    composed = False

    def call_step(cfg: "DictConfig") -> Any:
        nonlocal composed
        composed = True
        sys.argv = command  # DDP starts its other processes with this command line
        expand_home(cfg)
        module, _, function = step.partition(":")
        imported = import_module(f".{module}", __package__)
        signal.signal(signal.SIGINT, handler)
        try:
            return getattr(imported, function)(cfg)
        except BrokenPipeError:  # nobody reads the output any more, as with `| head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        except Exception as error:
            reason = fixable(error, cfg)
            if reason and HydraConfig.get().mode == RunMode.MULTIRUN:
                raise UserError(reason) from error  # Hydra runs the other jobs of the sweep first
            if reason:
                fail(reason)
            raise
        finally:
            signal.signal(signal.SIGINT, signal.SIG_DFL)

    try:
        refuse_empty(overrides)
        os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # without it, Hydra prints its errors itself
        sys.argv = [command[0], *options_first(overrides)]
        hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=config)(call_step)()
    except UserError as error:
        fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        if composed:
            raise
        fail(explain(error))  # Hydra could not compose what was asked for
    finally:
        sys.argv = command
        signal.signal(signal.SIGINT, handler)


def options_first(overrides: list[str]) -> list[str]:
    """Sort a command line: Hydra takes options before and after values, but none between two."""
    from hydra._internal.utils import get_args_parser

    parser = get_args_parser()  # Hydra's own, which would print a page on its usage at an error
    parser.error = fail  # type: ignore[method-assign]
    values: list[str] = parser.parse_intermixed_args(overrides).overrides
    return [word for word in overrides if word not in values] + values


def fail(message: object) -> NoReturn:
    """Print what the user can fix, as one line, and exit with 2."""
    typer.echo(f"Error: {' '.join(str(message).split())}", err=True)
    raise SystemExit(2)
