import os
import subprocess
import sys
from pathlib import Path

import pytest

from {{ cookiecutter.project_slug }}.cloud import provider


@pytest.fixture(params=["train"{{ ', "deploy"' if cookiecutter.__deploys else '' }}])
def command(request):
    return request.param


@pytest.fixture
def installed(command, programs, shown):
    """Install the programs that the command starts, and those that it asks for a name."""
    started = {words[0] for words in shown(command)}
    programs.install("dependency-groups", "git", provider.LOGIN.check[0], *started)
    return programs


def test_the_commands_run_as_they_are_printed(cli, command, installed, split):
    code, output, error = cli("cloud", command)
    assert (code, error) == (0, "")
    assert installed.calls() == [list(provider.LOGIN.check), *split(output)]


def test_a_missing_login_is_one_line(cli, command, installed):
    installed.install(provider.LOGIN.check[0], script="exit 1")
    code, output, error = cli("cloud", command)
    assert (code, output) == (2, "")
    assert error == f"Error: you are not logged in: run `{provider.LOGIN.remedy}`\n"


def test_a_missing_setting_is_named(cli, command, settings, monkeypatch):
    for name in settings:
        with monkeypatch.context() as patch:
            patch.setenv(name, "")
            code, output, error = cli("cloud", command, "--dry-run")
        assert (code, output, len(error.splitlines())) == (2, "", 1)
        assert error.startswith(f"Error: {name} is not set")


def test_the_modules_import_nothing_heavy():
    folder = Path(provider.__file__).parent
    names = [path.stem for path in folder.glob("*.py") if path.stem != "__init__"]
    code = f"import sys; from {provider.__package__} import {', '.join(names)}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(folder.parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stdout.split())
    assert "typer" in imported
    assert not imported & {"torch", "hydra", "numpy", "pytorch_lightning"}
