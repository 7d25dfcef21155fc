"""Time of one bake: the whole process, against the same process on a one-file template.

The rows between say where the time goes: `--version` starts the engine and bakes nothing, a bake
without hooks lacks their two interpreters, and the last two compile or copy the template's files
in this process.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from cookiecutter.environment import StrictEnvironment
from cookiecutter.generate import is_copy_only_path
from measure import process_seconds, ratio, show, take_turns, verdict

TEMPLATE = Path(__file__).resolve().parents[1]
PROJECT = "{{cookiecutter.project_slug}}"

FULL = "bake"
NO_HOOKS = "bake without hooks"
ONE_FILE = "bake of a one-file template"
ENGINE = "cookiecutter --version"
PYTHON = "python -c pass"
COMPILE = "compile what is rendered, and all names"
COPY = "copy every file"


def one_file_template(folder: Path) -> Path:
    """Write the smallest template: one question, one file."""
    project = folder / PROJECT
    project.mkdir(parents=True)
    (folder / "cookiecutter.json").write_text('{"project_slug": "one"}\n', encoding="utf-8")
    (project / "README.md").write_text("# {{ cookiecutter.project_slug }}\n", encoding="utf-8")
    return folder


def compile_template() -> float:
    """Compile, as a bake does, each path and each file that is not copied as it is."""
    settings = json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))
    context = {"cookiecutter": settings}
    paths = sorted((TEMPLATE / PROJECT).rglob("*"))
    start = time.perf_counter()
    environment = StrictEnvironment(context=context, keep_trailing_newline=True)
    for path in paths:
        name = path.relative_to(TEMPLATE / PROJECT).as_posix()
        environment.from_string(name)
        if path.is_file() and not is_copy_only_path(name, context):
            environment.from_string(path.read_text(encoding="utf-8"))
    return time.perf_counter() - start


def copy_template(target: Path) -> float:
    """Copy all files as they are."""
    start = time.perf_counter()
    shutil.copytree(TEMPLATE / PROJECT, target)
    return time.perf_counter() - start


def main() -> None:
    """Take turns and print the medians in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=15)
    turns = parser.parse_args().turns

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        numbers = count()

        def new() -> Path:
            return folder / f"out-{next(numbers)}"

        def bake(template: Path, *options: str) -> Callable[[], float]:
            def run() -> float:
                command = [sys.executable, "-m", "cookiecutter", str(template), "--no-input"]
                return process_seconds([*command, "--output-dir", str(new()), *options])

            return run

        cases = {
            FULL: bake(TEMPLATE),
            NO_HOOKS: bake(TEMPLATE, "--accept-hooks=no"),
            ONE_FILE: bake(one_file_template(folder / "one")),
            ENGINE: lambda: process_seconds([sys.executable, "-m", "cookiecutter", "--version"]),
            PYTHON: lambda: process_seconds([sys.executable, "-c", "pass"]),
            COMPILE: compile_template,
            COPY: lambda: copy_template(new()),
        }
        milliseconds = {
            name: lambda measure=measure: 1000 * measure() for name, measure in cases.items()
        }
        figures = take_turns(milliseconds, turns)
    show(figures, "ms", digits=1)
    print()
    verdict("bake / one-file bake", ratio(figures, FULL, ONE_FILE), at_most=1.6)
    verdict("bake without hooks / one-file bake", ratio(figures, NO_HOOKS, ONE_FILE))


if __name__ == "__main__":
    main()
