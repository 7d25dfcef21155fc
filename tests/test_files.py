"""Every template file is rendered for the answers that it reads: all combinations, or very many."""

import math
import time
import tomllib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from bakery import (
    COSMETIC,
    TREE,
    Answers,
    Toggles,
    answers_read,
    combinations,
    environment,
    free_text,
    is_copied,
    marks,
    product,
    questions,
    raw_questions,
    template_files,
    words_read,
)
from checks.texts import check_text, ruff_problems
from cookiecutter.generate import is_copy_only_path
from covering import covering
from forest import SLUG, Forest, first
from jinja2 import nodes

# Line breaks and the order of imports depend on the slug: shortest, usual, longest
SLUGS = ("q", "qz", SLUG, "q" * 32)
# Of a file that depends on more sets of answers than this, only some are rendered
FULL = 6000


@dataclass(frozen=True)
class Text:
    """One of the texts that a file of the template can become.

    Attributes:
        answers: The first answers that it was found with.
        path: Where it stands in the project.
        text: The text itself.
    """

    answers: Answers
    path: str
    text: str


Texts = dict[str, list[Text]]


def _source(name: str) -> str:
    return (TREE / name).read_text(encoding="utf-8")


def without_marks(name: str) -> str:
    """Return the path that a template file has in a baked project that keeps it."""
    return marks({}).pattern.sub("", name)


def _read(name: str) -> frozenset[str]:
    """Name the questions that a file's text, path and presence depend on."""
    found = (
        answers_read(name) if is_copied(name) else answers_read(name) | answers_read(_source(name))
    )
    words = marks({}).pattern.findall(name)
    return frozenset(found.union(*(words_read()[word] for word in words)))


def rows_for(read: Collection[str], slugs: Sequence[str] = SLUGS) -> list[Answers]:
    """List the answers to render a file for that depends on the questions `read`.

    Where they are not too many, that is every combination of these answers. Else it is every
    combination of the structural ones, with cosmetic answers and slugs that take turns, and
    every four answers, cosmetic or not, somewhere.
    """
    everything: Toggles = {"project_slug": list(slugs), **questions()}
    toggles = {name: values for name, values in everything.items() if name in read}
    if math.prod(map(len, toggles.values())) <= FULL:
        rows = list(product(toggles))
    else:
        rows = combinations(toggles, ("project_slug", *COSMETIC)) + covering(toggles, 4)
    return [{"project_slug": SLUG, **row} for row in rows]


def texts_of(names: Iterable[str], slugs: Sequence[str] = SLUGS) -> Texts:
    """Return every distinct text that some files of the template can become, by file."""
    alike: dict[frozenset[str], list[str]] = {}
    for name in names:
        alike.setdefault(_read(name), []).append(name)
    found: Texts = {}
    for read, files in alike.items():
        rows = rows_for(read, slugs)
        for name in files:
            forest = Forest.grow(rows, [name])
            assert not forest.binaries
            found[name] = [
                Text(rows[first(where)], path, text)
                for path, texts in forest.variants.items()
                for text, where in texts.items()
            ]
    return found


@pytest.fixture(scope="module")
def rendered() -> Texts:
    """Return every distinct text that the template can produce, by template file."""
    return texts_of(template_files())


def test_every_text_of_every_file(
    rendered: Texts, record_property: Callable[[str, str], None]
) -> None:
    started = time.perf_counter()
    problems = [
        f"{name} with {one.answers}: {problem}"
        for name, texts in rendered.items()
        for one in texts
        for problem in check_text(one.path, one.text)
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


def test_every_text_is_formatted_and_linted(rendered: Texts, tmp_path: Path) -> None:
    """Lay the texts out as projects, with each ruff configuration there is, and run ruff once."""
    configs: dict[tuple[str, str], str] = {}
    for one in rendered["pyproject.toml"]:
        configs.setdefault((one.answers["project_slug"], ruff_settings(one.text)), one.text)
    assert {slug for slug, _ in configs} == set(SLUGS)
    for number, ((slug, _), pyproject) in enumerate(configs.items()):
        _lay_out(tmp_path / str(number), slug, pyproject, rendered)

    problems = ruff_problems(tmp_path)
    assert not problems, "\n".join(problems)


def _lay_out(folder: Path, slug: str, pyproject: str, rendered: Texts) -> None:
    for texts in rendered.values():
        lint = [one for one in texts if one.path.endswith((".py", ".ipynb"))]
        mine = [one for one in lint if one.answers["project_slug"] == slug]
        for variant, one in enumerate(mine or lint):
            # The n-th text of each file makes up the n-th project
            project = folder / str(variant)
            file = project / one.path.replace(SLUG, slug)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(one.text, encoding="utf-8")
            (project / "pyproject.toml").write_text(pyproject, encoding="utf-8")
    modules = {
        one.path.replace(SLUG, slug)
        for texts in rendered.values()
        for one in texts
        if one.path.startswith("src/") and one.path.endswith(".py")
    }
    for project in folder.iterdir():
        for module in modules:
            _make_module(project / module)


def _make_module(path: Path) -> None:
    # Without the file, ruff takes a module that is imported for another project's
    path.parent.mkdir(parents=True, exist_ok=True)
    for file in (path, path.parent / "__init__.py"):
        if not file.exists():
            file.write_text('"""A module."""\n', encoding="utf-8")


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
