"""The command line: one command for each step. Heavy packages are imported inside the commands."""

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from . import UserError
from .hydra_job import fail, run_hydra

MODEL = Path("models/model.{{ 'onnx' if cookiecutter.onnx_export else 'ckpt' }}")

# Hydra parses everything after the command's name, --help too
HYDRA = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # Rich would take three times as long to print the help
    help="Train, evaluate and use a model. `COMMAND --help` shows examples.",
)


@app.command(context_settings=HYDRA)
def prepare(context: typer.Context) -> None:
    """Write the data set to disk, split and ready to train on. Takes Hydra overrides."""
    folder = "hydra.run.dir=outputs/prepare/${now:%Y-%m-%d}/${now:%H-%M-%S-%f}"
    run_hydra("datasets.preparation:prepare", "train", [folder, *context.args])


@app.command(context_settings=HYDRA)
def describe(context: typer.Context) -> None:
    """Report on the data: classes, samples, leaks. Takes Hydra overrides."""
    run_hydra("evaluation.data_report:describe", "describe", context.args)


@app.command(context_settings=HYDRA)
def train(context: typer.Context) -> None:
    """Train a model. Takes Hydra overrides, --multirun and --cfg job."""
    run_hydra("training.fit:train", "train", context.args)


@app.command(context_settings=HYDRA)
def evaluate(context: typer.Context) -> None:
    """Evaluate a checkpoint and write reports and figures. Takes Hydra overrides."""
    run_hydra("evaluation.report:evaluate", "evaluate", context.args)


@app.command(context_settings=HYDRA)
def compare(context: typer.Context) -> None:
    """Compare a checkpoint to the current one; exit with 1 if it is worse. Takes overrides."""
    run_hydra("evaluation.comparison:compare", "evaluate", context.args)
{%- if cookiecutter.onnx_export %}


@app.command(context_settings=HYDRA)
def export(
    context: typer.Context,
    quantize: Annotated[bool, typer.Option("--quantize", help="Write an int8 model too.")] = False,
) -> None:
    """Export a checkpoint to ONNX and check the file. Takes Hydra overrides and --quantize."""
    overrides = [*(["quantize=true"] if quantize else []), *context.args]
    run_hydra("evaluation.onnx_export:export", "export", overrides)


@app.command(context_settings=HYDRA)
def benchmark(context: typer.Context) -> None:
    """Measure the time that a prediction takes on each runtime. Takes Hydra overrides."""
    run_hydra("evaluation.speed:benchmark", "export", context.args)
{%- endif %}


@app.command()
def predict(
{%- if cookiecutter.task == "image" %}
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Pictures, or folders.")],
{%- elif cookiecutter.task == "text" %}
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Texts.")] = None,
    file: Annotated[Path | None, typer.Option(help="A file with one text a line.")] = None,
{%- else %}
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A table, as CSV or Parquet.")],
    output: Annotated[Path | None, typer.Option(help="Write the table, with predictions.")] = None,
{%- endif %}
    model: Annotated[Path, typer.Option(help="The trained model.")] = MODEL,
    top: Annotated[int, typer.Option(metavar="N", help="Print the N most probable classes.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
{%- if cookiecutter.task == "image" %}
    """Print the class of each picture and its probability; of a folder, all pictures in it.

    A picture that can't be read is named, the others are predicted, and the exit code is 2.

    Example: `{{ cookiecutter.project_slug }} predict data/processed/digits/samples --top 3`
    """
{%- elif cookiecutter.task == "text" %}
    """Print the class of each text and its probability.

    A text that can't be used is named, the others are predicted, and the exit code is 2.

    Example: `{{ cookiecutter.project_slug }} predict "ein lachendes Gesicht" --top 3`
    """
{%- else %}
    """Print the class of each row and its probability, or the number that the model predicts.

    A row that can't be used is named, the others are predicted, and the exit code is 2.

    Example: the file that the example data have for it.

    `{{ cookiecutter.project_slug }} predict {{ cookiecutter.__sample }}`
    """
{%- endif %}
    from tqdm import tqdm

    from .inference.output import print_answers
    from .inference.predictor import Predictor
{%- if cookiecutter.task == "image" %}
    from .inference.sources import find_pictures, predict_files
{%- elif cookiecutter.task == "text" %}
    from .inference.sources import find_texts, predict_texts
{%- else %}
    from .inference.sources import predict_rows, read_rows, write_predictions
{%- endif %}

    if top < 1:
        raise UserError(f"--top {top}: name a number of classes, 1 or more")
{%- if cookiecutter.task == "image" %}
    predictor, samples = Predictor(model), find_pictures(paths)
    predicted = predict_files(predictor, samples, top)
{%- elif cookiecutter.task == "text" %}
    predictor, samples = Predictor(model), find_texts(texts or [], file)
    predicted = predict_texts(predictor, samples, top)
{%- else %}
    predictor = Predictor(model)
    samples = read_rows(file, predictor.input_spec)
    predicted = predict_rows(predictor, samples, top)
{%- endif %}
    # After a second, a terminal is shown a progress bar
    answers = list(tqdm(predicted, total=len(samples), delay=1, disable=None))
{%- if cookiecutter.task == "tabular" %}
    if output:
        write_predictions(output, file, answers, predictor.target)
{%- endif %}
    print_answers(answers, predictor.target, as_json=as_json)
    if any(answer.problem for answer in answers):
        raise SystemExit(2)
{%- if cookiecutter.serving != "none" %}


@app.command()
def serve() -> None:
    """Serve predictions over HTTP; SERVE_PORT and other variables are its settings.

    Example: `SERVE_PORT=9000 {{ cookiecutter.project_slug }} serve`
    """
    from .serving.api import serve as run

    run()


@app.command()
def key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The client, in the log.")],
    admin: Annotated[bool, typer.Option("--admin", help="It may reload the model.")] = False,
) -> None:
    """Make a key for a client of the service; print its line for the file of keys.

    Example: `{{ cookiecutter.project_slug }} key web >> keys.txt`
    """
    from .serving.access import make_key

    secret, line = make_key(name, admin=admin)
    typer.echo(f"The key of {name}, which is shown only now: {secret}", err=True)
    typer.echo(line)
{%- endif %}
{%- if cookiecutter.cloud != "none" %}


cloud = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Train and deploy in the cloud, with the provider's own commands.",
)
app.add_typer(cloud, name="cloud")


@cloud.command("train")
def cloud_train(
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[OVERRIDE]...")] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="Train on a GPU.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print, and run nothing.")] = False,
) -> None:
    """Start a training job. Takes Hydra overrides.

    Example: `{{ cookiecutter.project_slug }} cloud train model={{ cookiecutter.__other_network }} --dry-run`
    """
    from .cloud.job import train_commands
    from .cloud.provider import LOGIN
    from .cloud.shell import run

    run(train_commands(overrides or [], gpu=gpu), LOGIN, dry_run=dry_run)


@cloud.command("fetch")
def cloud_fetch(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The name of a training job.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print, and run nothing.")] = False,
) -> None:
    """Put the model of a training job in the place of the current one.

    Example: `{{ cookiecutter.project_slug }} cloud fetch JOB --dry-run`
    """
    from .cloud.fetch import fetch

    fetch(job, dry_run=dry_run)
{%- endif %}
{%- if cookiecutter.__deploys and cookiecutter.docker %}


@cloud.command("deploy")
def cloud_deploy(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print, and run nothing.")] = False,
    image: Annotated[str, typer.Option(help="Push this image instead of building one.")] = "",
{%- if cookiecutter.cloud != "gcp" %}
    push_only: Annotated[bool, typer.Option("--push-only", help="Change no service.")] = False,
{%- endif %}
    check: Annotated[bool, typer.Option("--check", help="Ask the service afterwards.")] = False,
) -> None:
    """Put the model into service; with --check, return to the former one if it answers wrongly.

    Example: `{{ cookiecutter.project_slug }} cloud deploy --dry-run`
    """
    from .cloud.check import deploy
    from .cloud.deployment import deploy_commands

    commands = deploy_commands(image{{ "" if cookiecutter.cloud == "gcp" else ", push_only=push_only" }})
    deploy(commands, MODEL, check=check{{ "" if cookiecutter.cloud == "gcp" else " and not push_only" }}, dry_run=dry_run)
{%- elif cookiecutter.__deploys %}


@cloud.command("deploy")
def cloud_deploy(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print, and run nothing.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Ask the service afterwards.")] = False,
) -> None:
    """Put the model into service; with --check, return to the former one if it answers wrongly.

    Example: `{{ cookiecutter.project_slug }} cloud deploy --dry-run`
    """
    from .cloud.check import deploy
    from .cloud.deployment import deploy_commands

    deploy(deploy_commands(), MODEL, check=check, dry_run=dry_run)
{%- endif %}
{%- if cookiecutter.__deploys %}


@cloud.command("check")
def cloud_check() -> None:
    """Ask the service whether it answers as this folder's model does.

    The exit code is 3 if it does not let this machine in.

    Example: `{{ cookiecutter.project_slug }} cloud check`
    """
    from .cloud.check import check_service

    check_service(MODEL)


@cloud.command("rollback")
def cloud_rollback(
    to: Annotated[str, typer.Option(help="The {{ "revision" if cookiecutter.cloud == "gcp" else "image's digest" }} to return to.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print, and run nothing.")] = False,
) -> None:
    """Return to a model that was in service before; without --to, list them.

    Example: `{{ cookiecutter.project_slug }} cloud rollback --dry-run`
    """
    from .cloud.provider import LOGIN
    from .cloud.rollback import rollback_commands
    from .cloud.shell import run

    run(rollback_commands(to), LOGIN, dry_run=dry_run)
    if not (to or dry_run):
        raise UserError("nothing was changed: name one of these {{ "revisions" if cookiecutter.cloud == "gcp" else "digests" }} with --to")
{%- endif %}


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A name that the terminal's encoding lacks is printed in escapes, and is no error
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except UserError as error:
        fail(error)
