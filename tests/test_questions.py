"""The questions themselves, and the engine that bakes their answers."""

import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bakery import (
    COSMETIC,
    TEMPLATE,
    Toggles,
    bake,
    combinations,
    command_line,
    free_text,
    questions,
    raw_questions,
    read_tree,
)
from checks.choices import WORDS
from covering import covering, missing

# More questions than there are today: what the design plans
PLANNED: dict[str, list[Any]] = {
    "python_version": ["3.11", "3.12", "3.13"],
    "license": ["MIT", "BSD-3-Clause", "Apache-2.0", "Proprietary"],
    "environment": ["uv", "conda"],
    "task": ["image", "text", "tabular"],
    "tracker": ["wandb", "mlflow", "tensorboard", "comet", "none"],
    "onnx_export": [True, False],
    "serving": ["fastapi", "bentoml", "none"],
    "docker": [True, False],
    "ci": ["github", "gitlab", "none"],
    "cloud": ["none", "gcp", "aws", "azure"],
    "monitoring": ["none", "prometheus", "elastic"],
    "frontend": ["none", "streamlit"],
}


def _labels() -> dict[str, Any]:
    return raw_questions()["__prompts__"]


def test_every_question_and_choice_has_a_label() -> None:
    for name in free_text():
        assert isinstance(_labels()[name], str)
        assert _labels()[name]
    for name, values in questions().items():
        label = _labels()[name]
        if isinstance(raw_questions()[name], bool):
            assert isinstance(label, str)
        else:
            assert list(label) == ["__prompt__", *values]
            assert all(label.values())


def test_no_label_is_for_a_question_that_does_not_exist() -> None:
    assert list(_labels()) == [*free_text(), *questions()]


def test_booleans_are_native() -> None:
    for values in questions().values():
        text = {str(value).lower() for value in values}
        assert not text & {"true", "false", "yes", "no", "y", "n"} or values in (
            [True, False],
            [False, True],
        )


def test_questions_come_in_the_order_a_person_thinks() -> None:
    asked = [name for name in raw_questions() if not name.startswith("_")]
    first = ["project_name", "project_slug", "description", "author_name", "author_email"]
    assert asked[: len(first)] == first
    assert set(free_text()) == set(asked[: len(free_text())])
    assert set(COSMETIC) <= set(questions())
    # What the project is for comes before how it is run
    parts = [name for name in asked if name in questions() and name not in COSMETIC]
    looks = [asked.index(name) for name in COSMETIC]
    assert max(looks) < min(asked.index(name) for name in parts)


def test_choices_differ() -> None:
    for values in questions().values():
        assert len(values) == len(set(values)) >= 2


def test_words_are_known_for_real_choices_only() -> None:
    """A misspelt line in the table of words would never find anything."""
    real = {*questions(), *(value for values in questions().values() for value in values)}
    planned = {*PLANNED, *(value for values in PLANNED.values() for value in values)}
    assert set(WORDS) <= real | planned


def _bytes(folder: Path) -> tuple[dict[str, bytes], list[str], dict[str, int]]:
    files, empty = read_tree(folder)
    modes = {name: (folder / name).stat().st_mode for name in files}
    return files, empty, modes


def test_enter_all_the_way_is_the_first_choice_of_everything(tmp_path: Path) -> None:
    explicit = {name: values[0] for name, values in questions().items()}
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    plain = bake({}, tmp_path / "a")
    spelled_out = bake(explicit, tmp_path / "b")
    assert _bytes(plain.path) == _bytes(spelled_out.path)


def test_baking_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    """An update compares the old bake to the new one, so nothing may depend on chance."""
    answers = {name: values[-1] for name, values in questions().items()}
    trees = [_bytes(bake(answers, tmp_path / name).path) for name in ("a", "b")]
    assert trees[0] == trees[1]


@pytest.mark.parametrize("which", [0, -1])
def test_the_fast_bake_is_the_command_lines(tmp_path: Path, which: int) -> None:
    answers = {name: values[which] for name, values in questions().items()}
    answers |= {"project_slug": "quartz_reader", "description": 'A "great": one \\ {b} & ünï 🚀'}
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    run = subprocess.run(
        [*command_line(answers), "--output-dir", str(tmp_path / "plain")],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    # Another answer set first: what was compiled for it must leave no mark
    bake({name: values[which - 1] for name, values in questions().items()}, tmp_path / "other")
    fast = bake(answers, tmp_path / "fast")

    assert _bytes(fast.path) == _bytes(tmp_path / "plain" / "quartz_reader")
    assert run.stdout == fast.output


@pytest.mark.parametrize(("toggles", "count"), [(questions(), 2160), (PLANNED, 12_960)])
def test_every_structural_combination_and_every_pair_is_there(toggles: Toggles, count: int) -> None:
    rows = combinations(toggles)
    structural = {name: values for name, values in toggles.items() if name not in COSMETIC}

    parts = {tuple(row[name] for name in structural) for row in rows}
    assert parts == set(itertools.product(*structural.values()))
    assert len(rows) == count
    assert all(list(row) == list(toggles) for row in rows)
    assert not missing(rows, {name: toggles[name] for name in COSMETIC}, len(COSMETIC))
    for look, other in itertools.product(COSMETIC, structural):
        assert not missing(rows, {name: toggles[name] for name in (look, other)}, 2)


@pytest.mark.parametrize("toggles", [questions(), PLANNED], ids=["real", "plan"])
@pytest.mark.parametrize("strength", [2, 3, 4])
def test_a_covering_array_holds_every_few_answers(toggles: Toggles, strength: int) -> None:
    rows = covering(toggles, strength)
    for names in itertools.combinations(toggles, strength):
        held = {tuple(row[name] for name in names) for row in rows}
        assert held == set(itertools.product(*(toggles[name] for name in names)))


def test_what_a_covering_array_misses_is_noticed() -> None:
    toggles: Toggles = {"a": [1, 2], "b": ["x", "y"], "c": [True, False]}
    rows = covering(toggles, 2)
    assert len(rows) == 4
    assert len(missing(rows[1:], toggles, 2)) == 3


def test_few_questions_are_covered_by_their_product() -> None:
    toggles: Toggles = {"a": [1, 2], "b": ["x", "y", "z"]}
    assert len(covering(toggles, 4)) == 6


def test_the_engine_is_the_one_the_design_was_tested_with() -> None:
    version = subprocess.run(
        [sys.executable, "-m", "cookiecutter", "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=TEMPLATE,
    ).stdout
    assert "Cookiecutter 2.7" in version
