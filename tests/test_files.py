"""Every template file is rendered for every combination of the answers that it reads."""

import functools
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from bakery import (
    TREE,
    Answers,
    answers_read,
    environment,
    free_text,
    is_copied,
    marks,
    product,
    questions,
    raw_questions,
    render,
    template_files,
    words_read,
)
from checks.texts import check_text, ruff_problems
from cookiecutter.generate import is_copy_only_path
from jinja2 import nodes

Renderings = dict[str, list[tuple[Answers, str, str]]]

# Line breaks and the order of imports depend on the slug: shortest, usual, longest
SLUGS = ("q", "qz", "quartz_reader", "q" * 32)


def _source(name: str) -> str:
    return (TREE / name).read_text(encoding="utf-8")


@functools.cache
def without_marks(name: str) -> str:
    """Return the path that a template file has in a baked project that keeps it."""
    return marks({}).pattern.sub("", name)


@functools.cache
def _read(name: str) -> frozenset[str]:
    found = answers_read(name)
    return frozenset(found if is_copied(name) else found | answers_read(_source(name)))


def renderings(name: str, slugs: tuple[str, ...] = SLUGS) -> list[tuple[Answers, str, str]]:
    """Render a template file for all answers that it, or the pruning of it, depends on.

    Returns:
        For each distinct text that is kept: the answers, the path, the text.
    """
    read = set(_read(name))
    own = {"project_slug": SLUGS[2]}
    for word in marks(own).pattern.findall(name):
        read |= words_read()[word]
    toggles = {toggle: values for toggle, values in questions().items() if toggle in read}
    found: dict[tuple[str, str], Answers] = {}
    for slug in slugs if "project_slug" in read else SLUGS[2:3]:
        path = environment().from_string(name).render(cookiecutter={"project_slug": slug})
        for answers in product(toggles):
            row = {**answers, "project_slug": slug}
            if place := marks(row).final(path):
                found.setdefault((place, render(name, row)), row)
    return [(row, path, text) for (path, text), row in found.items()]


@pytest.fixture(scope="module")
def rendered() -> Renderings:
    """Every distinct text that the template can produce, by template file."""
    return {name: renderings(name) for name in template_files()}


def test_every_text_of_every_file(
    rendered: Renderings, record_property: Callable[[str, str], None]
) -> None:
    started = time.perf_counter()
    problems = [
        f"{name} with {answers}: {problem}"
        for name, rows in rendered.items()
        for answers, path, text in rows
        for problem in check_text(path, text)
    ]
    count = sum(map(len, rendered.values()))
    seconds = time.perf_counter() - started
    record_property(
        "measured", f"{count} distinct texts of {len(rendered)} files checked in {seconds:.1f} s"
    )
    assert not problems, "\n".join(problems)


def ruff_settings(pyproject: str) -> str:
    """Return what of a pyproject.toml decides ruff's verdict."""
    settings = tomllib.loads(pyproject)
    return str((settings["project"]["requires-python"], settings["tool"]["ruff"]))


def test_every_text_is_formatted_and_linted(rendered: Renderings, tmp_path: Path) -> None:
    """Lay the texts out as projects, with each ruff configuration there is, and run ruff once."""
    configs: dict[tuple[str, str], str] = {}
    for answers, _, text in rendered["pyproject.toml"]:
        configs.setdefault((answers["project_slug"], ruff_settings(text)), text)
    assert {slug for slug, _ in configs} == set(SLUGS)
    for number, ((slug, _), pyproject) in enumerate(configs.items()):
        _lay_out(tmp_path / str(number), slug, pyproject, rendered)

    problems = ruff_problems(tmp_path)
    assert not problems, "\n".join(problems)


def _lay_out(folder: Path, slug: str, pyproject: str, rendered: Renderings) -> None:
    for rows in rendered.values():
        lint = [row for row in rows if row[1].endswith((".py", ".ipynb"))]
        mine = [row for row in lint if row[0]["project_slug"] == slug]
        for variant, (_, path, text) in enumerate(mine or lint):
            # The n-th text of each file makes up the n-th project
            project = folder / str(variant)
            package = project / "src" / slug / "__init__.py"
            file = project / path.replace(SLUGS[2], slug)
            for place in (package, file):
                place.parent.mkdir(parents=True, exist_ok=True)
            if not package.exists():  # without it ruff takes the package for another's
                package.write_text('"""A package."""\n', encoding="utf-8")
            file.write_text(text, encoding="utf-8")
            (project / "pyproject.toml").write_text(pyproject, encoding="utf-8")


@pytest.mark.parametrize("name", template_files())
def test_every_name_that_a_file_reads_is_asked(name: str) -> None:
    """A misspelt name in a branch that is seldom taken fails here already."""
    if is_copied(name):
        return
    known = {key for key in raw_questions() if not key.startswith("_") or key.startswith("__")}
    tree = environment().parse(_source(name))
    names = {
        node.attr
        for node in tree.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "cookiecutter"
    }
    assert names <= known


def test_a_file_is_copied_when_it_needs_no_rendering() -> None:
    """Compiling is most of a bake's time, and braces that Jinja must not see can't hurt a copy."""
    plain = [
        name
        for name in template_files()
        if not is_copied(name)
        and all(
            isinstance(part, nodes.TemplateData)
            for output in environment().parse(_source(name)).body
            for part in getattr(output, "nodes", [output])
        )
    ]
    assert not plain, "list them in _copy_without_render: " + " ".join(plain)


def test_every_pattern_of_copies_matches_a_file() -> None:
    patterns = raw_questions()["_copy_without_render"]
    unmatched = [
        pattern
        for pattern in patterns
        if not any(
            is_copy_only_path(path, {"cookiecutter": {"_copy_without_render": [pattern]}})
            for name in template_files()
            for path in [name, *(parent.as_posix() for parent in Path(name).parents)]
        )
    ]
    assert not unmatched


def test_the_syntax_tree_finds_what_a_text_depends_on() -> None:
    slug, name = "{{ cookiecutter.project_slug }}", "{{ cookiecutter['project_name'] }}"
    derived = "{{ cookiecutter.__quoted_author }}"
    branch = "{% if cookiecutter.tracker == 'none' %}{% set x = cookiecutter.license %}{% endif %}"

    assert answers_read(slug) == {"project_slug"}
    assert answers_read(name + derived) == {"project_name", "author_name"}
    assert answers_read(branch) == {"tracker", "license"}
    assert answers_read("{{ cookiecutter | tojson }}") == {*questions(), *free_text()}
    assert answers_read("no Jinja: cookiecutter.tracker") == set()


def test_the_hook_says_what_its_conditions_depend_on() -> None:
    """Each toggle that changes a condition is among those that are found by reading it."""
    default = {name: values[0] for name, values in questions().items()}
    usual = marks(default).holds
    for toggle, values in questions().items():
        for value in values:
            holds = marks({**default, toggle: value}).holds
            changed = [word for word in holds if holds[word] != usual[word]]
            assert all(toggle in words_read()[word] for word in changed)


def test_every_mark_is_a_word_of_the_hook_and_every_word_is_a_mark() -> None:
    """The hook leaves a misspelt word in the name, so it is found here."""
    pattern = marks({}).pattern
    used = {word for name in template_files() for word in pattern.findall(name)}
    assert used == marks({}).holds.keys()
    assert [name for name in template_files() if "@" in pattern.sub("", name)] == []


def test_a_file_stays_where_all_of_its_marks_hold() -> None:
    both = marks({"serving": "fastapi", "docker": True, "cloud": "aws", "ci": "none"})
    assert both.final("infra/aws@aws/service@deploys@docker.tf") == "infra/aws/service.tf"
    assert both.final("infra/aws@aws/github@github.tf") is None
    assert both.final("infra/gcp@gcp/main.tf") is None
    assert both.final("docs/api@fastapi/index.md") == "docs/api/index.md"
    assert both.final("notes@home.md") == "notes@home.md"
    assert both.final("@aws/notes.md") == "@aws/notes.md"
    assert both.final("notes@awsome.md") == "notes@awsome.md"
