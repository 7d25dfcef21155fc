"""Every combination of answers is baked, and what each project says about itself is checked."""

import multiprocessing
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from bakery import (
    COSMETIC,
    MEMORY,
    TREE,
    Answers,
    bake,
    combinations,
    context,
    environment,
    marks,
    questions,
    template_files,
)
from checks.projects import (
    check_project,
    files,
    foreign_targets,
    missing_foreign_targets,
)
from checks.texts import unparsable
from checks.tree import Tree
from cookiecutter.exceptions import FailedHookException

# A word that no text holds by chance, so that whatever names it names the project
SLUG = "quartz_reader"
MOST_FILES = 95
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class Survey:
    """What was found in some combinations.

    Attributes:
        baked: How many there were.
        problems: How often each problem occurred, and the first answers that it occurred with.
        holds: The values that each word of marks took.
        targets: The classes of other packages that configs name, with their arguments.
    """

    baked: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    first: dict[str, Answers] = field(default_factory=dict)
    holds: dict[str, set[bool]] = field(default_factory=dict)
    targets: dict[str, set[str]] = field(default_factory=dict)

    def note(self, problems: Iterable[str], answers: Answers) -> None:
        """Count problems."""
        for problem in problems:
            self.problems[problem] += 1
            self.first.setdefault(problem, answers)

    def add(self, other: "Survey") -> None:
        """Take in what was found in other combinations."""
        self.baked += other.baked
        self.problems += other.problems
        self.first = other.first | self.first
        for word, held in other.holds.items():
            self.holds.setdefault(word, set()).update(held)
        for target, arguments in other.targets.items():
            self.targets.setdefault(target, set()).update(arguments)

    def report(self) -> str:
        """Say each problem once, with how often and where it occurred first."""
        return "\n".join(
            f"{problem}\n    in {count} of {self.baked} combinations, first {self.first[problem]}"
            for problem, count in sorted(self.problems.items())
        )


def possible_paths(answers: Answers) -> frozenset[str]:
    """Return where every template file would end up if it were kept."""
    names, env, pattern = context(answers), environment(), marks(answers).pattern
    paths = (env.from_string(name).render(**names) for name in template_files())
    return frozenset(pattern.sub("", path) for path in paths)


def wanted_paths(answers: Answers) -> set[str]:
    """Return where the template files end up whose marks hold."""
    names, env, final = context(answers), environment(), marks(answers).final
    paths = (final(env.from_string(name).render(**names)) for name in template_files())
    return {path for path in paths if path}


def survey(rows: list[Answers]) -> Survey:
    """Bake and check each of `rows`."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        return _survey(rows, Path(folder))


def _survey(rows: list[Answers], folder: Path) -> Survey:
    found = Survey()
    toggles = questions()
    possible = possible_paths({"project_slug": SLUG})
    for answers in rows:
        try:
            baked = bake({**answers, "project_slug": SLUG}, folder)
        except FailedHookException as error:
            found.note([f"does not bake: {error}"], answers)
            shutil.rmtree(folder / SLUG, ignore_errors=True)
            continue
        tree = Tree.read(baked.path, answers=answers, possible=possible, printed=baked.output)
        shutil.rmtree(baked.path)
        found.baked += 1
        found.note(files(tree, wanted_paths({**answers, "project_slug": SLUG})), answers)
        found.note(check_project(tree, toggles), answers)
        for word, held in marks(answers).holds.items():
            found.holds.setdefault(word, set()).add(held)
        if any(unparsable(*item) for item in tree.texts.items()):
            continue
        for target, arguments in foreign_targets(tree).items():
            found.targets.setdefault(target, set()).update(arguments)
    return found


def _chunks(rows: list[Answers]) -> list[list[Answers]]:
    # Like with like, so that few texts are checked by more than one core
    rows = sorted(rows, key=lambda row: str([row[name] for name in row if name not in COSMETIC]))
    size = -(-len(rows) // CORES)
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def test_every_combination(record_property: Callable[[str, str], None]) -> None:
    rows = combinations(questions())
    started, before = time.perf_counter(), os.times()
    found = Survey()
    # "spawn": xdist's workers have threads, which a fork does not survive
    with ProcessPoolExecutor(CORES, multiprocessing.get_context("spawn")) as pool:
        for part in pool.map(survey, _chunks(rows)):
            found.add(part)
    seconds = time.perf_counter() - started
    rate = f"{len(rows)} combinations baked and checked in {seconds:.1f} s: "
    record_property("measured", f"{rate}{len(rows) / seconds:.0f} a second on {CORES} cores")
    used = os.times()
    busy = used.children_user + used.children_system - before.children_user - before.children_system
    record_property("measured", f"    in {busy:.1f} s of processor time, start-up included")

    constant = [
        f"the mark @{word} is {values.pop()} whatever is answered"
        for word, values in found.holds.items()
        if len(values) == 1
    ]
    found.note(constant, {})
    found.note(missing_foreign_targets(found.targets), {})
    assert not found.problems, f"\n{found.report()}"
    assert found.baked == len(rows)


def test_the_default_project_is_small(tmp_path: Path) -> None:
    baked = bake({}, tmp_path)
    tree = Tree.read(baked.path)

    assert len(tree.files) <= MOST_FILES, sorted(tree.files)


@pytest.mark.parametrize("slug", ["q", "qz", "q" * 32])
def test_any_slug_bakes_the_same_files(tmp_path: Path, slug: str) -> None:
    tree = Tree.read(bake({"project_slug": slug}, tmp_path).path)
    usual = Tree.read(bake({"project_slug": SLUG}, tmp_path).path)

    def renamed(path: str) -> str:
        return "/".join(SLUG if part == slug else part for part in Path(path).parts)

    assert {renamed(path) for path in tree.files} == set(usual.files)
    assert TREE.name not in {part for path in tree.files for part in Path(path).parts}
