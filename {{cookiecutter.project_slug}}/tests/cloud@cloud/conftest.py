"""Settings of a cloud, and programs that record how they are called."""

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SETTINGS = {{ {
  "aws": {"AWS_ACCOUNT_ID": "123456789012", "AWS_REGION": "eu-central-1"},
  "azure": {"AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000000"},
  "gcp": {"GOOGLE_CLOUD_PROJECT": "ada-lab", "GOOGLE_CLOUD_REGION": "europe-west4"},
}.get(cookiecutter.cloud) | tojson }}
PROGRAM = """#!/bin/sh
(printf '%s' {name}; for word; do printf '\\t%s' "$word"; done; echo) >> {calls}
{script}
"""


class Programs:
    """A folder that is all of PATH, with programs that write down their calls."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "calls"
        folder.mkdir()
        self.log.touch()

    def install(self, *names: str, script: str = "exit 0") -> None:
        """Write programs that run a script of the shell after they have recorded their call."""
        for name in names:
            path = self.folder / name
            log = shlex.quote(str(self.log))
            path.write_text(PROGRAM.format(name=name, calls=log, script=script), "utf-8")
            path.chmod(0o755)

    def calls(self) -> list[list[str]]:
        """Return the words of each call, in order."""
        return [line.split("\t") for line in self.log.read_text("utf-8").splitlines()]


@pytest.fixture(autouse=True)
def settings(monkeypatch) -> dict[str, str]:
    """Set the variables that the provider's commands need, and return them."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SOURCE_COMMIT", "c0ffee")
    return SETTINGS


@pytest.fixture
def programs(tmp_path, monkeypatch) -> Programs:
    """Put programs on the PATH that only record their calls, and no others."""
    if sys.platform == "win32":
        pytest.skip("the programs are scripts of a shell")
    programs = Programs(tmp_path / "programs")
    monkeypatch.setenv("PATH", str(programs.folder))
    return programs


@pytest.fixture
def split() -> Callable[[str], list[list[str]]]:
    """Split printed command lines, pipes too, into their words."""

    def words(output: str) -> list[list[str]]:
        lines = [line.removeprefix("$ ") for line in output.splitlines()]
        return [shlex.split(part) for line in lines for part in line.split(" | ")]

    return words


@pytest.fixture
def shown(cli, monkeypatch, split) -> Callable[..., list[list[str]]]:
    """Return the words of the commands that a dry run prints, while no program is on the PATH."""

    def dry_run(*arguments: str) -> list[list[str]]:
        with monkeypatch.context() as patch:
            patch.setenv("PATH", os.devnull)
            code, output, error = cli("cloud", *arguments, "--dry-run")
        assert (code, error) == (0, "")
        return split(output)

    return dry_run
