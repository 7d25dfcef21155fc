"""Fixtures and the summary line of measured rates."""

import os
import sys
from pathlib import Path

import pytest
from bakery import TEMPLATE
from docker_engine import missing
from machine import move_in, put_first_on_path


def pytest_configure() -> None:
    """Leave the caller's settings, before pytest imports a test module."""
    move_in()
    put_first_on_path(Path(sys.executable).parent)


@pytest.fixture(autouse=True, scope="session")
def _template(request: pytest.FixtureRequest) -> None:
    """Let pytest-cookies bake this template from whichever folder pytest was started in."""
    request.config.option.template = str(TEMPLATE)


@pytest.fixture(autouse=True)
def _hook_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Collect the rendered hooks, which cookiecutter never deletes, where pytest does."""
    folder = tmp_path / "hooks"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))


@pytest.fixture(scope="session")
def torch_index() -> Path:
    """Return the folder that holds the CPU build of PyTorch as a simple index."""
    folder = os.environ.get("MLBAKE_TORCH")
    assert folder, "MLBAKE_TORCH is not set: run `nox -s tests`, which downloads PyTorch for it"
    return Path(folder)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests of images without a Docker Engine: from here, the summary has one line for all."""
    if item.get_closest_marker("docker") and (reason := missing()):
        pytest.skip(f"images are not built: {reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the numbers that tests measured: xdist does not show the output of a test."""
    lines = [
        value
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in report.user_properties
        if name == "measured"
    ]
    if lines:
        terminalreporter.section("measured")
    for line in lines:
        terminalreporter.write_line(line)
