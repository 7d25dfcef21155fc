"""The command line: one command a step. Heavy packages are imported inside the commands."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from . import UserError

if TYPE_CHECKING:
    from omegaconf import DictConfig

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

# Everything behind the command's name, --help too, is for Hydra to read
HYDRA = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # Rich would take three times as long to print the help
    help="Train, evaluate and use an image classifier. `COMMAND --help` shows examples.",
)


@app.command(context_settings=HYDRA)
def prepare(context: typer.Context) -> None:
    """Write the data set to disk, split and ready to train on. Takes Hydra overrides."""

    def job(cfg: "DictConfig") -> None:
        from hydra.utils import instantiate

        data = instantiate(cfg.data)
        data.prepare()
        counts = ", ".join(f"{len(data.arrays(split)[1])} {split}" for split in data.splits)
        typer.echo(f"{data.folder}: {counts} images in {len(data.classes)} classes")

    folder = "hydra.run.dir=outputs/prepare/${now:%Y-%m-%d}/${now:%H-%M-%S}"
    run_hydra(job, "train", [folder, *context.args])


@app.command(context_settings=HYDRA)
def train(context: typer.Context) -> None:
    """Train a model. Takes Hydra overrides, --multirun and --cfg job."""

    def job(cfg: "DictConfig") -> float:
        from .train import train as run

        return run(cfg)

    run_hydra(job, "train", context.args)


@app.command(context_settings=HYDRA)
def evaluate(context: typer.Context) -> None:
    """Evaluate a checkpoint and write reports and pictures. Takes Hydra overrides."""

    def job(cfg: "DictConfig") -> None:
        from .evaluate import evaluate as run

        for name, value in run(cfg).items():
            typer.echo(f"{name:<10}{value:.4f}")
        typer.echo(f"Reports are in {cfg.reports}")

    run_hydra(job, "evaluate", context.args)


@app.command()
def predict(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Picture files.")],
    checkpoint: Annotated[Path, typer.Option(help="The trained model.")] = Path(
        "models/model.ckpt"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Print the class of each picture and its probability.

    Example: `{{ cookiecutter.project_slug }} predict data/processed/digits/samples/7.png`
    """
    from .predictor import Predictor

    predictions = Predictor(checkpoint).predict_files(paths)
    if as_json:
        rows = [
            {"path": str(path), "label": answer.label, "probability": answer.probability}
            for path, answer in zip(paths, predictions, strict=True)
        ]
        typer.echo(json.dumps(rows, indent=2))
    elif sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        table = Table("picture", "class", "probability")
        for path, answer in zip(paths, predictions, strict=True):
            table.add_row(str(path), answer.label, f"{answer.probability:.1%}")
        Console().print(table)
    else:
        for path, answer in zip(paths, predictions, strict=True):
            typer.echo(f"{path}\t{answer.label}\t{answer.probability:.4f}")


def run_hydra(job: "Callable[[DictConfig], Any]", config: str, overrides: list[str]) -> None:
    """Run `job` with a composed configuration, as if `overrides` had been its command line."""
    import hydra
    from hydra.errors import (
        ConfigCompositionException,
        InstantiationException,
        MissingConfigException,
        OverrideParseException,
    )
    from omegaconf.errors import OmegaConfBaseException

    command = sys.argv

    def guarded(cfg: "DictConfig") -> Any:
        sys.argv = command  # DDP starts its other processes with this command line
        try:
            return job(cfg)
        except (UserError, OmegaConfBaseException) as error:
            fail(error)
        except Exception as error:
            from lightning_fabric.utilities.exceptions import MisconfigurationException

            cause = error.__cause__ if isinstance(error, InstantiationException) else error
            if isinstance(cause, UserError | MisconfigurationException):
                fail(cause)
            if isinstance(cause, ValueError) and cause is not error:
                fail(cause)
            raise

    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # lets Hydra's errors reach the next lines
    sys.argv = [command[0], *overrides]
    try:
        hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=config)(guarded)()
    except (ConfigCompositionException, OverrideParseException, MissingConfigException) as error:
        fail(error)
    finally:
        sys.argv = command


def fail(error: Exception) -> NoReturn:
    """Print a mistake that its reader can mend, as one line, and exit with 2."""
    text = " ".join(str(error).split())
    text = text.partition(" Config search path:")[0].partition(" full_key:")[0]
    typer.echo(f"Error: {text}", err=True)
    raise SystemExit(2)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except UserError as error:
        fail(error)
