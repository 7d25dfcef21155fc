"""Every pair of answers, dynamic: each row's own checks, in an environment that holds everything.

Formatter, linter, type checker and documentation take seconds and run for every row. Two rows whose
code, tests and settings are the same text share one run of the baked project's tests. Rows that are
the first of their task, or that track it, serve it, take it to a cloud or leave its export out in a
new way, run the tests of that. All others are left to `nox -s slow`, and the default answers to
`test_pipeline_jobs.py`, where the job of the pipeline runs `pytest --cov`.
"""

import fnmatch
import functools
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from bakery import Answers, bake, marks, questions, template_files
from covering import covering
from machine import plain_environment
from packaging.requirements import Requirement

# Tests of what is the same in a project that does not export its model
KNOW_NO_EXPORT = (
    "tests/datasets/", "tests/networks/", "tests/test_changing", "tests/test_notebook",
    "tests/training/",
)  # fmt: skip
# Tests of what is the same for each task: Hydra's jobs, the service's process and its clients, and
# the pipeline, which the README has run as well (`test_isolated.py`)
KNOW_NO_TASK = (
    "tests/test_hydra_job", "tests/test_pipeline",
    "tests/serving/test_access", "tests/serving/test_current", "tests/serving/test_load",
    "tests/serving/test_start", "tests/serving/test_workers",
)  # fmt: skip
CODE = ("configs", "notebooks", "src", "tests", "dvc.yaml", ".dvc", ".dvcignore", ".gitignore")


def rows() -> list[Answers]:
    """Cover every pair of answers."""
    return covering(questions(), 2)


def name(row: Answers) -> str:
    return "-".join(str(value) for value in row.values())


def run(folder: Path, *command: str, **variables: str) -> str:
    """Run a module of this environment in a baked project, as if the project were installed."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=plain_environment(PYTHONPATH=str(folder / "src"), **variables),
        check=False,
        text=True,
        capture_output=True,
    )
    # The first line is what the summary of the whole suite shows
    failed = re.findall(r"^(?:FAILED|ERROR) (.*)", done.stdout, re.MULTILINE) or command
    assert done.returncode == 0, f"{' '.join(failed)}\n{done.stdout}{done.stderr}"
    return done.stdout


def code_of(folder: Path) -> str:
    """Digest what the baked project's tests read: everything but metadata and prose."""
    digest = hashlib.sha256()
    for top in CODE:
        path = folder / top
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    settings = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    for tool in ("pytest", "coverage"):
        digest.update(repr(settings["tool"][tool]).encode())
    return digest.hexdigest()


def own_tests(folder: Path) -> dict[str, str]:
    """Return the texts of a baked project's test files by their paths in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in folder.glob("tests/**/test_*.py")
    }


def kind(row: Answers) -> tuple[str, bool]:
    """Say what a project is as a whole: each task exports, and one of them does not."""
    return ("any task", False) if not row["onnx_export"] else (row["task"], True)


def in_order() -> list[Answers]:
    """List the default answers and the rows: first one of each kind, and texts last.

    Training with texts takes longest.
    """
    default = {question: choices[0] for question, choices in questions().items()}
    everything = [default, *sorted(rows(), key=lambda row: row["task"] == "text")]
    firsts: dict[tuple[str, bool], Answers] = {}
    for row in everything:
        firsts.setdefault(kind(row), row)
    return [*firsts.values(), *(row for row in everything if row not in firsts.values())]


@functools.cache
def distinct() -> list[tuple[Answers, tuple[str, ...], bool]]:
    """List the rows that show something new: the answers, the test files to run, whether slow.

    No test file means all of them. The tests of each task run once, those that know no task with
    the default one; those that know of an export once in a project without one. The tests of a
    service run once for each service, those that send the task's inputs once more for each task and
    without an export; those of a tracker and of a cloud once, with whichever task. All other tests
    train without a tracker. All other rows with code of their own are slow.
    """
    with tempfile.TemporaryDirectory() as folder:
        seen: set[str] = set()
        trackers, clouds, kinds, services, served = {"none"}, set(), set(), set(), set()
        found: list[tuple[Answers, tuple[str, ...], bool]] = []
        for number, row in enumerate(in_order()):
            local = {**row, "ci": "none", "cloud": "none"}
            steps = [
                {**local, "serving": "none", "docker": False},
                {**local, "tracker": "none"},  # and serving, which knows no tracker
                {**row, "tracker": "none"},  # and the cloud
                {**row, "tracker": "none", "task": "image"},  # which knows no task
                {**local, "serving": "none", "docker": False, "tracker": "none"},
            ]
            bakes = [bake(one, Path(folder, f"{number}-{n}")).path for n, one in enumerate(steps)]
            training, serving, cloud = (code_of(bakes[step]) for step in (0, 1, 3))
            tests = [own_tests(path) for path in bakes]
            files: set[str] = set()
            if kind(row) not in kinds:
                same = KNOW_NO_TASK if row["onnx_export"] else KNOW_NO_EXPORT
                files |= {name for name in tests[4] if not name.startswith(same)}
            if row["tracker"] not in trackers:
                files |= {name for name, text in tests[0].items() if tests[4].get(name) != text}
            if row["serving"] != "none" and (row["serving"], kind(row)) not in served:
                files |= {
                    name
                    for name, text in tests[1].items()
                    if tests[4].get(name) != text
                    and not (row["serving"] in services and name.startswith(KNOW_NO_TASK))
                }
            if cloud not in clouds:
                files |= tests[2].keys() - tests[1].keys()
            if files:
                found.append((row, tuple(sorted(files)), False))
            elif {training, serving} - seen:
                found.append((row, (), True))
            kinds.add(kind(row))
            trackers.add(row["tracker"])
            services.add(row["serving"])
            served.add((row["serving"], kind(row)))
            clouds.add(cloud)
            seen |= {training, serving}
    return found[1:]  # `test_pipeline_jobs.py` runs the default project's tests


def untyped(package: str, folder: Path) -> Path:
    """Write stubs of a package, all of whose names have the type `Any`."""
    target = folder / package
    target.mkdir(parents=True, exist_ok=True)
    for module in ("__init__.pyi", "message.pyi", "utils.pyi"):
        text = "from typing import Any\ndef __getattr__(name: str) -> Any: ...\n"
        if not (target / module).exists():  # a new time would make it a changed file
            (target / module).write_text(text)
    return folder


@pytest.mark.pairwise
@pytest.mark.parametrize("row", rows(), ids=name)
def test_code_and_documentation_are_clean(row: Answers, tmp_path: Path) -> None:
    folder = bake(row, tmp_path).path
    run(folder, "ruff", "format", "--check")
    run(folder, "ruff", "check")
    # Where another row was checked before, mypy takes each file that imports protobuf, which has no
    # types, for a changed one, and all of PyTorch's files with them
    stubs = [untyped("google/protobuf", tmp_path.parent / "stubs")]
    # torchmetrics would have mypy read all of transformers, half of the modules: one row is enough
    if row != next(one for one in rows() if one["task"] == "text"):
        stubs.append(untyped("transformers", tmp_path.parent / "more_stubs"))
    cache = tmp_path.parent / "mypy"
    run(folder, "mypy", "--cache-dir", str(cache), MYPYPATH=os.pathsep.join(map(str, stubs)))
    run(folder, "zensical", "build", "--strict")
    assert (folder / "site" / "index.html").is_file()


@pytest.mark.pairwise
@pytest.mark.parametrize(
    ("row", "files"),
    [
        pytest.param(
            row, files, id=f"{name(row)}-{len(files)}", marks=[pytest.mark.slow] if slow else []
        )
        for row, files, slow in distinct()
    ],
)
def test_own_tests_pass(row: Answers, files: tuple[str, ...], tmp_path: Path) -> None:
    which = files or ("--cov",)
    output = run(bake(row, tmp_path).path, "pytest", *which, "-p", "no:cacheprovider", "-q")
    assert " skipped" not in output, output


def test_every_test_file_of_the_template_is_run(tmp_path: Path) -> None:
    """The default project's tests run in `test_pipeline_jobs.py`."""
    ran = set(own_tests(bake({}, tmp_path / "default").path))
    for number, (row, files, slow) in enumerate(distinct()):
        if not slow:
            ran |= set(files or own_tests(bake(row, tmp_path / str(number)).path))
    pattern = marks({}).pattern
    finals = {pattern.sub("", name) for name in template_files()}
    there = {path for path in finals if fnmatch.fnmatch(path, "tests/*test_*.py")}
    assert len(there) > 15
    assert there == ran


def test_each_task_is_trained_exported_and_served_in_each_way(tmp_path: Path) -> None:
    """The default project's tests run in `test_pipeline_jobs.py`."""
    default = {question: choices[0] for question, choices in questions().items()}
    runs: list[tuple[Answers, tuple[str, ...], bool]] = [(default, (), False), *distinct()]
    done = set()
    for number, (row, files, slow) in enumerate(runs):
        if not slow and row["onnx_export"]:
            for file in files or own_tests(bake(row, tmp_path / str(number)).path):
                done |= {(row["task"], file), (row["task"], row["serving"], file)}
    for task in questions()["task"]:
        assert (task, "tests/training/test_fit.py") in done
        assert (task, "tests/evaluation/test_onnx_export.py") in done
        for serving in set(questions()["serving"]) - {"none"}:
            assert (task, serving, "tests/serving/test_contract.py") in done


def merged(requirements: Iterable[str]) -> dict[tuple[str, ...], set[str]]:
    """Map each requirement without its extras to all the extras that it is asked for with."""
    found: dict[tuple[str, ...], set[str]] = {}
    for one in map(Requirement, requirements):
        key = one.name, str(one.specifier), str(one.marker)
        found.setdefault(key, set()).update(one.extras)
    return found


def test_the_shared_environment_holds_what_is_baked(tmp_path: Path) -> None:
    """`baked` in pyproject.toml is the union of every bake's dependencies, bound for bound."""
    root = Path(__file__).parents[1]
    ours = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["dependency-groups"]["baked"]
    baked: set[str] = set()
    for number, row in enumerate(rows()):
        settings = tomllib.loads(
            (bake(row, tmp_path / str(number)).path / "pyproject.toml").read_text("utf-8")
        )
        baked.update(settings["project"]["dependencies"], settings["build-system"]["requires"])
        for group in settings["dependency-groups"].values():
            baked.update(line for line in group if isinstance(line, str))
    assert merged(ours) == merged(baked)


def test_environment_yml_names_the_python_that_was_asked_for(tmp_path: Path) -> None:
    for version in questions()["python_version"]:
        answers = {"environment": "conda", "python_version": version}
        folder = bake(answers, tmp_path / version).path
        settings = yaml.safe_load((folder / "environment.yml").read_text("utf-8"))
        assert f"python={version}" in settings["dependencies"]
        assert settings["name"] == folder.name
