"""Every combination of answers: its project is baked as meant, and tells the truth about itself.

The checks look at all combinations at once, in a `Forest` of rendered texts. Real bakes, compared
byte for byte, show that cookiecutter makes the same projects: here those of a covering array of
strength 4, and with `nox -s slow` every single one.
"""

import functools
import multiprocessing
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bakery import (
    MEMORY,
    TREE,
    Answers,
    bake,
    combinations,
    context,
    environment,
    fast_engine,
    marks,
    questions,
    template_files,
)
from checks.configs import broken_configs, foreign_targets, missing_foreign_targets
from checks.overrides import unknown_overrides
from checks.paths import files
from checks.projects import CHECKS, faulty_texts, parsable
from checks.tree import Tree
from cookiecutter.exceptions import FailedHookException
from covering import covering
from forest import SLUG, Forest, Found, Where

MOST_FILES = 220
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
# The files are shared out in more parts than there are cores, so that none is idle for long
SHARES = 16
HYDRA = (broken_configs, unknown_overrides)
# What is baked in the gate, in so many tests that the workers of pytest-xdist share
STRENGTH = 4
PARTS = 4
# How many bakes of each part run cookiecutter as it is: each takes a second or more
UNPATCHED = 2


@functools.cache
def every_project() -> Forest:
    """Return the forest of every combination, one for each process."""
    return Forest.grow(combinations(questions()))


@functools.cache
def _part(where: Where) -> Forest:
    forest = every_project()
    return forest if where == forest.all else forest.only(where)


def workers() -> ProcessPoolExecutor:
    """Start a process for each core; xdist's own have threads, which a fork does not survive."""
    return ProcessPoolExecutor(CORES, multiprocessing.get_context("spawn"))


# What the projects say ---------------------------------------------------------------------------


def texts_of(part: int) -> tuple[Found, Where]:
    """Check the texts of every SHARES-th file by themselves; say too where all of them parse."""
    forest = every_project()
    share = {path: forest.variants[path] for path in sorted(forest.variants)[part::SHARES]}
    alone = replace(forest, variants=share)
    return faulty_texts(alone), parsable(alone).all


def problems_of(check: Callable[[Forest], Found], where: Where) -> Found:
    """Run one check of the combinations in `where`."""
    return check(_part(where))


def doubled_files(forest: Forest) -> Found:
    """Find variants of one file whose marks hold together."""
    found = Found()
    for path, contents in forest.contents.items():
        seen = 0
        for where in contents.values():
            found.note(f"{path}: two files of the template are this one at once", seen & where)
            seen |= where
    return found


def constant_marks(forest: Forest) -> Found:
    """Find words of marks that hold in every combination, or in none."""
    found = Found()
    for word, where in forest.holds.items():
        if where in {0, forest.all}:
            found.note(f"the mark @{word} is {bool(where)} whatever is answered", forest.all)
    return found


# The checks that look at files which don't parse, too
NO_SYNTAX = (constant_marks, doubled_files)


def missing_targets(forest: Forest) -> Found:
    """Find classes of other packages that configs name and that do not exist."""
    return Found(dict.fromkeys(missing_foreign_targets(foreign_targets(forest)), forest.all))


def test_every_combination(record_property: Callable[[str, str], None]) -> None:
    started, before = time.perf_counter(), os.times()
    found = Found()
    rows = combinations(questions())
    with workers() as pool:
        parse = everything = (1 << len(rows)) - 1
        for problems, where in pool.map(texts_of, range(SHARES)):
            found.add(problems)
            parse &= where
        # Hydra takes as long as all the rest, so its checks start first
        checks = sorted((*CHECKS, missing_targets), key=lambda check: check not in HYDRA)
        places = [parse] * len(checks) + [everything] * len(NO_SYNTAX)
        for problems in pool.map(problems_of, (*checks, *NO_SYNTAX), places):
            found.add(problems)
    seconds = time.perf_counter() - started
    rate = f"{len(rows)} combinations rendered and checked in {seconds:.1f} s: "
    record_property("measured", f"{rate}{len(rows) / seconds:.0f} a second on {CORES} cores")
    used = os.times()
    busy = used.children_user + used.children_system - before.children_user - before.children_system
    record_property("measured", f"    in {busy:.1f} s of processor time, start-up included")
    if found:
        pytest.fail(found.report(rows), pytrace=False)


# What is baked -----------------------------------------------------------------------------------


def differences(forest: Forest, number: int, path: Path, printed: str) -> list[str]:
    """Compare a baked project with what a forest says of its combination."""
    grown, baked = forest.tree(number), Tree.read(path)
    found = files(baked, grown.files.keys())
    found += [
        f"{name}: is another text than the forest's"
        for name in grown.files.keys() & baked.files.keys()
        if grown.files[name] != baked.files[name]
    ]
    names = context({**forest.rows[number], "project_slug": forest.slug})["cookiecutter"]
    found += [
        f"{name}: its permissions are not the template's"
        for name, mode in _modes(names).items()
        if name in baked.files and stat.S_IMODE((path / name).stat().st_mode) != mode
    ]
    if printed != grown.printed:
        found.append(f"the hooks print {printed!r}, not {grown.printed!r}")
    return found


def _modes(names: Answers) -> dict[str, int]:
    """Map the paths of a project to the permissions of the template's files."""
    final = marks(names).final
    found = {}
    for name in template_files():
        if path := final(environment().from_string(name).render(cookiecutter=names)):
            found[path] = stat.S_IMODE((TREE / name).stat().st_mode)
    return found


def test_a_difference_from_the_forest_is_noticed(tmp_path: Path) -> None:
    forest = Forest.grow(combinations(questions())[:1])
    baked = bake({**forest.rows[0], "project_slug": SLUG}, tmp_path)
    assert differences(forest, 0, baked.path, baked.output) == []

    (baked.path / "README.md").write_text("# Another\n", encoding="utf-8")
    (baked.path / "LICENSE").unlink()
    (baked.path / "more.txt").touch()
    (baked.path / "empty").mkdir()
    (baked.path / "pyproject.toml").chmod(0o700)
    found = differences(forest, 0, baked.path, "")
    assert found[:-1] == [
        "more.txt: should not be there",
        "LICENSE: is missing",
        "empty: is an empty folder",
        "README.md: is another text than the forest's",
        "pyproject.toml: its permissions are not the template's",
    ]
    assert found[-1].startswith("the hooks print ''")


def test_variants_that_hold_together_are_found() -> None:
    forest = Forest("net", [{}, {}], 0b11, {"a.md": {"x": 0b11, "y": 0b10}})
    assert list(doubled_files(forest).values()) == [0b10]
    words = replace(forest, holds={"aws": 0b11, "gcp": 0b01})
    assert list(constant_marks(words)) == ["the mark @aws is True whatever is answered"]


@pytest.fixture(scope="module")
def forest_to_bake() -> tuple[Forest, list[int]]:
    """Return a forest of every combination and of a covering array, and where the array is."""
    rows = combinations(questions())
    array = covering(questions(), STRENGTH)
    return Forest.grow(rows + array), list(range(len(rows), len(rows) + len(array)))


@pytest.mark.parametrize("part", range(PARTS))
def test_every_four_answers_bake_what_the_forest_holds(
    part: int,
    forest_to_bake: tuple[Forest, list[int]],
    cookies: Any,
    capfd: pytest.CaptureFixture[str],
    record_property: Callable[[str, str], None],
) -> None:
    """Bake each row of the array with pytest-cookies' own `bake`.

    For speed, cookiecutter keeps its compiled templates under it and the hooks run in this
    process. The first rows of each part are baked without any of that.
    """
    forest, array = forest_to_bake
    started = time.perf_counter()
    found = []
    for count, number in enumerate(array[part::PARTS]):
        answers = {**forest.rows[number], "project_slug": forest.slug}
        capfd.readouterr()
        if count < UNPATCHED:
            result = cookies.bake(extra_context=answers)
            printed = capfd.readouterr().out
        else:
            with fast_engine() as run:
                result = cookies.bake(extra_context=answers)
            printed = run.output
        assert result.exit_code == 0, (answers, result.exception)
        assert result.exception is None
        problems = differences(forest, number, result.project_path, printed)
        found += [f"{problem}, with {answers}" for problem in problems]
        shutil.rmtree(result.project_path)
    seconds = time.perf_counter() - started
    record_property(
        "measured",
        f"{count + 1} rows of a covering array of strength {STRENGTH} baked with pytest-cookies"
        f" in {seconds:.1f} s, {UNPATCHED} of them by cookiecutter as it is",
    )
    assert count >= UNPATCHED
    assert not found, "\n".join(found)


def bakes_of(numbers: Iterable[int]) -> Found:
    """Bake some combinations and compare each with the forest."""
    forest, found = every_project(), Found()
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        for number in numbers:
            try:
                baked = bake({**forest.rows[number], "project_slug": SLUG}, Path(folder))
            except FailedHookException as error:
                found.note(f"does not bake: {error}", 1 << number)
            else:
                for problem in differences(forest, number, baked.path, baked.output):
                    found.note(problem, 1 << number)
            shutil.rmtree(Path(folder, SLUG), ignore_errors=True)
    return found


@pytest.mark.slow
def test_every_combination_bakes_what_the_forest_holds(
    record_property: Callable[[str, str], None],
) -> None:
    rows, found = combinations(questions()), Found()
    started = time.perf_counter()
    with workers() as pool:
        for problems in pool.map(bakes_of, [range(n, len(rows), CORES) for n in range(CORES)]):
            found.add(problems)
    seconds = time.perf_counter() - started
    rate = f"{len(rows)} combinations baked and compared in {seconds:.1f} s: "
    record_property("measured", f"{rate}{len(rows) / seconds:.0f} a second on {CORES} cores")
    if found:
        pytest.fail(found.report(rows), pytrace=False)


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
