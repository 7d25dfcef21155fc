"""Fixtures and the summary line of measured rates."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from bakery import TEMPLATE
from docker_engine import missing
from machine import move_in, put_first_on_path


def pytest_configure() -> None:
    """Leave the caller's settings, before pytest imports a test module."""
    move_in()
    put_first_on_path(Path(sys.executable).parent)


LEFT_OUT = pytest.StashKey[dict[str, Any]]()


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest test: at the end, one worker would run it, and the others wait."""
    items.sort(key=lambda item: "ci.yaml-tests" not in item.name)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests of images without a Docker Engine: from here, the summary has one line for all."""
    if item.get_closest_marker("docker") and (reason := missing()):
        pytest.skip(f"images are not built: {reason}")


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count the slow tests that this run leaves out; a worker of xdist tells the main process."""
    config = items[0].config
    slow = [item.nodeid for item in items if item.get_closest_marker("slow")]
    getattr(config, "workeroutput", config.stash.setdefault(LEFT_OUT, {}))["slow"] = slow


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of xdist left out: all of them leave out the same."""
    node.config.stash.setdefault(LEFT_OUT, {}).update(getattr(node, "workeroutput", {}))


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
    if slow := terminalreporter.config.stash.get(LEFT_OUT, {}).get("slow"):
        terminalreporter.section("left out")
        terminalreporter.write_line(f"slow tests: {len(slow)} (`nox -s slow` runs them)")
