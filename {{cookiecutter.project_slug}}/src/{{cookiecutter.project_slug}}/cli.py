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
{%- if cookiecutter.onnx_export %}
MODEL = Path("models/model.onnx")
{%- else %}
MODEL = Path("models/model.ckpt")
{%- endif %}

# Everything behind the command's name, --help too, is for Hydra to read
HYDRA = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # Rich would take three times as long to print the help
    help="Train, evaluate and use an image classifier. `COMMAND --help` shows examples.",
)
{%- if cookiecutter.cloud != "none" %}
cloud = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Train and deploy in the cloud, with the provider's own commands.",
)
app.add_typer(cloud, name="cloud")
{%- endif %}


@app.command(context_settings=HYDRA)
def prepare(context: typer.Context) -> None:
    """Write the data set to disk, split and ready to train on. Takes Hydra overrides."""

    def job(cfg: "DictConfig") -> None:
        from hydra.utils import instantiate

        data = instantiate(cfg.data)
        data.prepare_anew()
        counts = ", ".join(f"{len(data.arrays(split)[1])} {split}" for split in data.splits)
        typer.echo(f"{data.folder}: {counts} images in {len(data.classes)} classes")

    folder = "hydra.run.dir=outputs/prepare/${now:%Y-%m-%d}/${now:%H-%M-%S}"
    run_hydra(job, "train", [folder, *context.args])


@app.command(context_settings=HYDRA)
def describe(context: typer.Context) -> None:
    """Report on the data: classes, pixels, samples, leaks. Takes Hydra overrides."""

    def job(cfg: "DictConfig") -> None:
        from .evaluation.data_report import describe as run

        typer.echo(run(cfg).partition("```")[0].rstrip())
        typer.echo(f"The report is {cfg.reports}/data.md")

    run_hydra(job, "evaluate", context.args)


@app.command(context_settings=HYDRA)
def train(context: typer.Context) -> None:
    """Train a model. Takes Hydra overrides, --multirun and --cfg job."""

    def job(cfg: "DictConfig") -> float:
        from .training.fit import train as run

        return run(cfg)

    run_hydra(job, "train", context.args)


@app.command(context_settings=HYDRA)
def evaluate(context: typer.Context) -> None:
    """Evaluate a checkpoint and write reports and pictures. Takes Hydra overrides."""

    def job(cfg: "DictConfig") -> None:
        from .evaluation.report import evaluate as run

        for name, value in run(cfg).items():
            typer.echo(f"{name:<10}{value:.4f}")
        typer.echo(f"Reports are in {cfg.reports}")

    run_hydra(job, "evaluate", context.args)


@app.command(context_settings=HYDRA)
def compare(context: typer.Context) -> None:
    """Compare a checkpoint to the current one; exit with 1 if it is worse. Takes overrides."""

    def job(cfg: "DictConfig") -> None:
        from .evaluation.comparison import compare as run

        result = run(cfg)
        typer.echo(result.markdown().rstrip())
        if result.worse:
            raise SystemExit(1)

    run_hydra(job, "evaluate", context.args)
{%- if cookiecutter.onnx_export %}


@app.command(context_settings=HYDRA)
def export(
    context: typer.Context,
    quantize: Annotated[bool, typer.Option("--quantize", help="Write an int8 model too.")] = False,
) -> None:
    """Export a checkpoint to ONNX and check the file. Takes Hydra overrides and --quantize."""

    def job(cfg: "DictConfig") -> None:
        from .evaluation.onnx_export import export as run

        for path, result in run(cfg).items():
            typer.echo(
                f"{path}: {Path(path).stat().st_size / 1e6:.2f} MB, accuracy {result.accuracy:.4f},"
                f" largest difference of a logit {result.difference:.1e}"
            )

    run_hydra(job, "export", [*(["quantize=true"] if quantize else []), *context.args])


@app.command(context_settings=HYDRA)
def benchmark(context: typer.Context) -> None:
    """Measure what a prediction costs on each runtime. Takes Hydra overrides."""

    def job(cfg: "DictConfig") -> None:
        from rich.console import Console
        from rich.table import Table

        from .evaluation.speed import benchmark as run

        lines, missing = run(cfg)
        table = Table("runtime", "batch", "p50 us", "p99 us", "images/s", "file MB", "accuracy")
        for line in lines:
            times = f"{line.p50:.0f}", f"{line.p99:.0f}", f"{line.rate:,.0f}"
            table.add_row(
                line.runtime,
                str(line.batch),
                *times,
                f"{line.megabytes:.2f}",
                f"{line.accuracy:.4f}",
            )
        Console().print(table)
        for reason in missing:
            typer.echo(f"Not measured: {reason}")

    run_hydra(job, "export", context.args)
{%- endif %}


@app.command()
def predict(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Picture files.")],
    model: Annotated[Path, typer.Option(help="The trained model.")] = MODEL,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Print the class of each picture and its probability.

    Example: `{{ cookiecutter.project_slug }} predict data/processed/digits/samples/7.png`
    """
    from .inference.predictor import Predictor

    predictions = Predictor(model).predict_files(paths)
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

{%- if cookiecutter.serving != "none" %}


@app.command()
def serve() -> None:
    """Serve predictions over HTTP; SERVE_PORT and other variables are its settings.

    Example: `SERVE_PORT=9000 {{ cookiecutter.project_slug }} serve`
    """
{%- if cookiecutter.serving == "fastapi" %}
    from .serving.api import serve as run
{%- else %}
    from .serving.service import serve as run
{%- endif %}

    run()
{%- endif %}
{%- if cookiecutter.cloud != "none" %}


@cloud.command("train")
def cloud_train(
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[OVERRIDE]...")] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="Train on a GPU.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print, and run nothing.")] = False,
) -> None:
    """Start a training job. Takes Hydra overrides.

    Example: `{{ cookiecutter.project_slug }} cloud train model=mlp --dry-run`
    """
    from .cloud.provider import LOGIN, train_commands
    from .cloud.shell import run

    run(train_commands(overrides or [], gpu=gpu), LOGIN, dry_run=dry_run)
{%- endif %}
{%- if cookiecutter.__deploys %}


@cloud.command("deploy")
def cloud_deploy(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print, and run nothing.")] = False,
{%- if cookiecutter.docker %}
    image: Annotated[str, typer.Option(help="Push this image instead of building one.")] = "",
    push_only: Annotated[bool, typer.Option("--push-only", help="Change no service.")] = False,
{%- endif %}
) -> None:
    """Put the model into service.

    Example: `{{ cookiecutter.project_slug }} cloud deploy --dry-run`
    """
    from .cloud.provider import LOGIN, deploy_commands
    from .cloud.shell import run
{% if cookiecutter.docker %}
    run(deploy_commands(image, push_only=push_only), LOGIN, dry_run=dry_run)
{%- else %}
    run(deploy_commands(), LOGIN, dry_run=dry_run)
{%- endif %}
{%- endif %}


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
