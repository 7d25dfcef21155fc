"""The data set and the network of docs/changing.md, added to a copy of this project."""

import contextlib
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from example import ADDED

from {{ cookiecutter.project_slug }} import UserError

pytestmark = pytest.mark.slow
DATA, NETWORK = ADDED
ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(sys.modules[UserError.__module__].__file__).parent.name
# A path ends the line before a block: what the block adds to that file
BLOCK = re.compile(r"`([\w/]+\.\w+)`:\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("changing") / "project"
    for name in ("configs", "src", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path, text in BLOCK.findall((ROOT / "docs/changing.md").read_text("utf-8")):
        target = folder / path
        before = f"{target.read_text('utf-8')}\n\n" if target.exists() else ""
        if text not in before:  # as it is where the project has followed the page already
            target.write_text(before + text, encoding="utf-8")
    return folder


def test_both_are_two_files_and_the_data_set_has_a_sample(project: Path) -> None:
    added = [path for path in project.rglob("*.*") if path.stem in ADDED]
    assert len(added) == 4
    run(project, "ruff", "check", "--no-cache", "src", "tests")
    run(project, "ruff", "format", "--no-cache", "--check", "src", "tests")


def test_the_contract_tests_find_them(project: Path) -> None:
    contracts = "tests/datasets/test_datasets.py", "tests/networks/test_networks.py"
    chosen = f"{DATA} or {NETWORK} or one_module"
    report = run(project, "pytest", "-v", "-p", "no:cacheprovider", *contracts, "-k", chosen)
    assert f"test_no_sample_is_in_two_splits[{DATA}] PASSED" in report
    assert f"test_networks_map_inputs_to_logits[{DATA}-{NETWORK}] PASSED" in report


def test_the_network_is_trained_on_the_data_set(project: Path) -> None:
    write_files = runpy.run_path(str(project / "tests/sources.py"))["SOURCES"][DATA]
    with contextlib.chdir(project):
        files = write_files(10)
    options = f"data={DATA}", f"model={NETWORK}", "trainer.max_epochs=1", "logger=csv"
    run(project, PACKAGE, "train", *options, *files)
    # The checkpoint knows its data and its network: the commands after the training need no word
    assert "accuracy" in run(project, PACKAGE, "evaluate")
{%- if cookiecutter.onnx_export %}
    run(project, PACKAGE, "export")
{%- endif %}
