"""`cloud check`: the service in the cloud has this folder's model, and answers as it does."""

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from .. import UserError
from .provider import LOGIN
from .rollback import return_commands
from .service import connect
from .shell import Ask, Command, run

if TYPE_CHECKING:
    from ..inference.predictor import Predictor

PATIENCE = 180  # seconds, in which a new copy starts
SHUT_OUT = {401, 403, 421}


def deploy(commands: Sequence[Command], model: Path, *, check: bool, dry_run: bool) -> None:
    """Deploy a model; if the service is asked and answers wrongly, return to what ran before.

    Args:
        commands: What deploys the model.
        model: The model's file.
        check: Ask the service afterwards.
        dry_run: Print the commands, and run none.

    Raises:
        UserError: A command failed, or the service answered wrongly.
        Exit: The service does not let this machine in. The new model stays.
    """
    if dry_run or not check:
        run(commands, LOGIN, dry_run=dry_run)
        return
    back = return_commands()
    run(commands, LOGIN, dry_run=False)
    try:
        check_service(model)
    except UserError as error:
        run(back, LOGIN, dry_run=False)
        raise UserError(f"{error}; what ran before is in service again") from error


def check_service(model: Path) -> None:
    """Ask the service until it is ready, has the model and predicts what the model predicts.

    Args:
        model: The model's file.

    Raises:
        UserError: It is not so after `PATIENCE`.
        Exit: The service does not let this machine in.
    """
    from ..inference.predictor import Predictor

    predictor = Predictor(model, threads=1)
    ask = connect()
    end = time.monotonic() + PATIENCE
    while fault := find_fault(ask, predictor):
        if time.monotonic() > end:
            raise UserError(f"the service does not answer as {model.as_posix()} does: {fault}")
        time.sleep(5)
    typer.echo(f"The service is ready, and predicts with the model {predictor.version}")


def find_fault(ask: Ask, predictor: "Predictor") -> str:
    """Say what is wrong with the service; empty if it answers as a model does.

    Args:
        ask: Sends requests to the service.
        predictor: The model.

    Raises:
        Exit: The service does not let this machine in.
    """
    from ..serving.requests import request_type, to_inputs
    from ..serving.settings import read_settings

    # The example of the API's document
    kind = request_type(predictor.input_spec, read_settings())
    fields = kind.model_json_schema()["properties"]
    sample = {name: field["examples"][0] for name, field in fields.items()}
    answers = {}
    for path in ("/readyz", "/model", "/predict"):
        body = json.dumps(sample).encode() if path == "/predict" else None
        status, answers[path] = ask(path, body)
        if status in SHUT_OUT:
            typer.echo(f"NOT CHECKED: {path} answers this machine with status {status}", err=True)
            raise typer.Exit(3)
        if status != 200:
            return f"{path} answers with status {status}"
    expected = predictor.best(to_inputs(kind.model_validate(sample), predictor.input_spec))
    try:
        version = json.loads(answers["/model"])["version"]
        [answer] = json.loads(answers["/predict"])["predictions"]
        alike = [is_alike(answer[name], value) for name, value in vars(expected[0]).items()]
    except (KeyError, TypeError, ValueError):
        return "its answers are not those of this project's service"
    if version != predictor.version:
        return f"it has the model {version}, and not {predictor.version}"
    return "" if all(alike) else f"it predicts {answer}, and not {vars(expected[0])}"


def is_alike(answer: Any, value: str | float) -> bool:
    """Say whether values are the same but for the last digits, in which processors differ."""
    if isinstance(value, str):
        return bool(answer == value)
    return math.isclose(answer, value, rel_tol=0.01, abs_tol=0.001)
