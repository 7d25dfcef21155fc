"""The commands of a cloud provider: programs and login are checked; then they run in order."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import typer
from dotenv import load_dotenv

from .. import UserError

# Sends a path, with a JSON body or none, to the service; returns the answer's status and body
Ask = Callable[[str, bytes | None], tuple[int, bytes]]


@dataclass(frozen=True)
class Command:
    """A command line of another program.

    Attributes:
        words: The program and its arguments.
        fed_by: A program and its arguments whose output the command reads, such as a password.
    """

    words: Sequence[str]
    fed_by: Sequence[str] = ()

    def __str__(self) -> str:
        """Return the line that a shell would run."""
        return " | ".join(shlex.join(words) for words in (self.fed_by, self.words) if words)

    def run(self) -> int:
        """Run the command; its output is shown while it runs.

        Returns:
            Its exit status, or the status of the program that feeds it if that failed.
        """
        given = None
        if self.fed_by:
            fed = subprocess.run(found(self.fed_by), check=False, stdout=subprocess.PIPE)  # noqa: S603
            if fed.returncode:
                return fed.returncode
            given = fed.stdout
        return subprocess.run(found(self.words), check=False, input=given).returncode  # noqa: S603


@dataclass(frozen=True)
class Login:
    """The login at the provider.

    Attributes:
        check: A command that fails if nobody is logged in.
        remedy: The command that logs in.
    """

    check: Sequence[str]
    remedy: str


def found(words: Sequence[str]) -> list[str]:
    """Replace a command's program by its whole path: Windows starts `az.cmd` by that path only.

    Raises:
        UserError: The program is not installed.
    """
    program = shutil.which(words[0])
    if program is None:
        raise UserError(f"{words[0]} is not installed, or not on the PATH")
    return [program, *words[1:]]


def printed(words: Sequence[str]) -> str:
    """Return what a command prints, without the line's end.

    Raises:
        UserError: It failed, or is not installed.
    """
    done = subprocess.run(found(words), check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise UserError(f"`{' '.join(words)}` failed: {done.stderr}")
    return done.stdout.rstrip()


def setting(name: str) -> str:
    """Return an environment variable, which `.env` may hold.

    Raises:
        UserError: It is not set.
    """
    load_dotenv(".env")
    if value := os.environ.get(name, "").strip():
        return value
    raise UserError(f"{name} is not set: copy .env.example to .env and fill it in")


def run(commands: Sequence[Command], login: Login, *, dry_run: bool) -> None:
    """Print each command and, unless `dry_run`, run it.

    Raises:
        UserError: A program is missing or nobody is logged in, in which case nothing was started;
            or a command failed, in which case those after it were not started.
    """
    if not dry_run:
        for words in [login.check, *(part for one in commands for part in (one.fed_by, one.words))]:
            if words:
                found(words)
        check = subprocess.run(found(login.check), check=False, capture_output=True)  # noqa: S603
        if check.returncode:
            raise UserError(f"you are not logged in: run `{login.remedy}`")
    for command in commands:
        typer.echo(f"$ {command}")
        if not dry_run and (status := command.run()):
            raise UserError(f"`{command}` failed with exit status {status}")
