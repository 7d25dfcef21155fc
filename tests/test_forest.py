"""The forest itself: its sets, its texts, and what it refuses to guess."""

from pathlib import Path

import pytest
from bakery import combinations, context, questions
from checks.tree import Tree
from forest import (
    Contexts,
    Forest,
    Found,
    Source,
    as_set,
    classes,
    first,
    members,
    per_class,
    union,
)
from jinja2 import UndefinedError

ONE = Tree("net", {"a/b.md": b"x\ny\n", "c.bin": b"\xff"}, ("d",), {"ci": "none"}, printed="Done\n")


def two_projects() -> Forest:
    """Return a forest of two projects: `a.md` differs, `b.md` is in the second one only."""
    return Forest(
        slug="net",
        rows=[{"ci": "none"}, {"ci": "github"}],
        all=0b11,
        variants={"a.md": {"same\nold\n": 0b01, "same\nnew\n": 0b10}, "b.md": {"b\n": 0b10}},
    )


def test_a_set_has_the_members_that_it_was_made_of() -> None:
    numbers = [0, 3, 64, 700]
    where = as_set(numbers, 701)
    assert members(where) == numbers
    assert first(where) == 0
    assert first(where & ~1) == 3
    assert members(0) == []
    assert union([0b01, 0b100]) == 0b101


def test_classes_split_by_every_column() -> None:
    columns: list[dict[str | int, int]] = [{"x": 0b0011, "y": 0b1100}, {1: 0b0101, 2: 0b1010}]
    assert classes(columns, 0b0111) == {("x", 1): 0b0001, ("x", 2): 0b0010, ("y", 1): 0b0100}
    assert classes([], 0b11) == {(): 0b11}


def test_one_project_is_a_forest_and_back() -> None:
    forest = Forest.of(ONE)
    assert forest.tree(0) == ONE
    assert forest.is_path("a") == forest.is_path("d") == forest.has("c.bin") == forest.all
    assert forest.has("b.md") == 0
    assert forest.names["b.md"] == forest.all
    assert dict(forest.said()) == {"a/b.md": {"x\ny\n": 1}, "hook output": {"Done\n": 1}}


def test_a_forest_says_where_a_line_stands() -> None:
    forest = two_projects()
    assert forest.lines["a.md"] == {"same": 0b11, "old": 0b01, "new": 0b10, "": 0b11}
    assert forest.numbered["a.md"][2, "new"] == 0b10
    assert forest.search("^(new|b)$", ".md") == 0b10
    assert forest.search("^old$", "b.md") == 0
    assert forest.column("b.md") == {"b\n": 0b10, None: 0b01}
    assert forest.chosen("ci") == {"none": 0b01, "github": 0b10}


def test_a_part_of_a_forest_knows_nothing_of_the_rest() -> None:
    part = two_projects().only(0b01)
    assert part.all == 0b01
    assert part.variants == {"a.md": {"same\nold\n": 0b01}}
    assert part.column("b.md") == {None: 0b01}
    assert part.chosen("ci") == {"none": 0b01}


def test_a_check_of_trees_runs_once_for_each_set_of_texts() -> None:
    seen = []

    def check(tree: Tree) -> list[str]:
        seen.append(tree.texts)
        return [f"{path}: is there" for path in tree.texts]

    forest = two_projects()
    found = per_class(check, lambda path: path == "b.md")(forest)
    assert found == {"b.md: is there": 0b10}
    assert sorted(map(len, seen)) == [0, 1]


def test_a_report_counts_and_names_the_first_answers() -> None:
    found = Found()
    found.note("nowhere", 0)
    found.note("bad", 0b10)
    found.add({"bad": 0b01})
    assert found == {"bad": 0b11}
    assert found.report([{"a": 1}, {"a": 2}]) == "bad\n    in 2 of 2 combinations, first {'a': 1}"


def test_a_context_is_cookiecutters_own() -> None:
    contexts = Contexts()
    for row in combinations(questions())[::60]:
        answers = {**row, "project_slug": "other_reader"}
        assert contexts.of(answers) == context(answers)["cookiecutter"]


def test_a_text_that_reads_more_than_its_syntax_tree_names_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forest.TREE", tmp_path)
    (tmp_path / "a.txt").write_text("{{ cookiecutter.ci }}", encoding="utf-8")
    (tmp_path / "b.txt").write_text("{{ cookiecutter['c' ~ 'i'] }}", encoding="utf-8")
    names = Contexts().of({"ci": "gitlab"})

    assert Source("a.txt").reads == {"ci"}
    assert Source("a.txt").render(names) == ("a.txt", "gitlab")
    assert Source("b.txt").reads == set()
    with pytest.raises(UndefinedError):
        Source("b.txt").render(names)
