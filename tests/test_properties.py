"""Hostile text: whatever is typed is refused in one line, or reads back as it was typed.

Left out are only texts with `{{`, `{%` or `{#`: cookiecutter itself evaluates those in an answer,
before any template or hook sees it.
"""

import re
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from bakery import MEMORY, bake, context
from checks.texts import labels, ruff_problems, unparsable
from checks.tree import Tree
from cookiecutter.exceptions import FailedHookException
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import TemplateSyntaxError

FREE = ("project_name", "description", "author_name")
EVALUATED = ("{{", "{%", "{#")

# What means something in one of the languages that the text ends up in
PIECES = [
    '"', "'", '"""', "'''", "\\", "\\n", "\\u0041", "\\x", "`", "```", "r'", 'f"',
    "{", "}", "}}", "%}", "{}", "{ a", "${x}", "$", "%s", "tojson", "cookiecutter",
    "#", " #", "# ", "- ", "-", "--", "---", ": ", ":", "&", "&amp;", "*", "!", "|", "?", ", ",
    ">", "<", "<b>", "<!--", "-->", "@", "=", "a = 1", "[", "]", "[x](y)", "](", "~", "...",
    "null", "yes", "1.0", "0x10", "EOF", "\t", "\n", " ", "\x00", "\x7f",
    "\u2028", "\u200d", "\u202e", "\ufeff", "ü", "é", "ß", "İ", "字", "👩‍👩‍👧", "🚀",
]  # fmt: skip

typed = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=60),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text("aZ9 ", max_size=4)), max_size=8).map(
        "".join
    ),
).filter(lambda text: not any(mark in text for mark in EVALUATED))

# A bake on a busy machine takes as long as it takes
UNHURRIED = settings(deadline=None)


def must_bake(text: str) -> bool:
    """Say whether nothing can be held against a text: it may be refused for no reason."""
    return bool(text) and text == text.strip() and text.isprintable()


def bake_or_refuse(answers: dict[str, str]) -> Tree | list[str]:
    """Bake and read the project; or return the lines of the refusal, which left nothing."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        folder = Path(name, "out")
        try:
            baked = bake({"project_slug": "quartz_reader", **answers}, folder)
        except FailedHookException as error:
            assert not list(folder.iterdir())
            return str(error).splitlines()
        return Tree.read(baked.path, printed=baked.output)


def reads_back(tree: Tree, answers: dict[str, str]) -> None:
    """Assert that every file parses and holds the answers as they were typed."""
    problems = [problem for item in tree.texts.items() for problem in unparsable(*item)]
    assert not problems
    assert len(tree.texts) == len(tree.files), "a text is no UTF-8"

    project: dict[str, Any] = tomllib.loads(tree.texts["pyproject.toml"])["project"]
    site: dict[str, Any] = tomllib.loads(tree.texts["zensical.toml"])["project"]
    readme = tree.texts["README.md"].split("\n")
    images = [labels(text) for text in tree.under(".dockerfile").values() if "LABEL" in text]
    assert len(images) == 2  # the proxy's, which nobody publishes, has no label
    if "project_name" in answers:
        assert all(image["title"] == answers["project_name"] for image in images)
        assert site["site_name"] == answers["project_name"]
        assert readme[0] == f"# {answers['project_name']}"
    if "description" in answers:
        assert all(image["description"] == answers["description"] for image in images)
        assert project["description"] == site["site_description"] == answers["description"]
        assert answers["description"] in readme
        # It still looks like what was typed, where quoting allows
        if not set(answers["description"]) & {'"', "\\"}:
            assert answers["description"] in tree.texts["pyproject.toml"]
    if "author_name" in answers:
        assert project["authors"][0]["name"] == site["site_author"] == answers["author_name"]
        assert answers["author_name"] in tree.texts["LICENSE"]
    if "author_email" in answers:
        assert project["authors"][0]["email"] == answers["author_email"]
    if "repo_owner" in answers:
        assert answers["repo_owner"] in project["urls"]["Repository"]


@given(text=typed, name=st.sampled_from(FREE))
@example(text='A "great": project \\ with {braces} & ünïcode 🚀', name="description")
@example(text='O\'Brien "Bob"', name="author_name")
@example(text="Ends with a backslash \\", name="description")
@example(text="costs $5, ${x}", name="description")
@example(text='"""', name="description")
@example(text="'''", name="author_name")
@example(text='\\"""\\', name="project_name")
@example(text="- [ ] no: list #1", name="project_name")
@example(text="a\udcffb", name="description")
@example(text="x" * 1000, name="description")
@settings(UNHURRIED, max_examples=250)
def test_typed_text_reads_back_or_is_refused(text: str, name: str) -> None:
    found = bake_or_refuse({name: text})
    if isinstance(found, Tree):
        reads_back(found, {name: text})
        return
    assert not must_bake(text), found
    assert len(found) == 1
    assert found[0].startswith(f"mlbake: {name} ")
    assert found[0].isprintable()


@given(texts=st.fixed_dictionaries(dict.fromkeys(FREE, typed.filter(must_bake))))
@settings(UNHURRIED, max_examples=40)
def test_texts_do_not_disturb_each_other(texts: dict[str, str]) -> None:
    found = bake_or_refuse(texts)
    assert isinstance(found, Tree), found
    reads_back(found, texts)


@given(answer=st.one_of(st.emails(), typed), name=st.sampled_from(["author_email", "repo_owner"]))
@settings(UNHURRIED, max_examples=60)
def test_an_address_reads_back_or_is_refused(answer: str, name: str) -> None:
    found = bake_or_refuse({name: answer})
    if isinstance(found, Tree):
        reads_back(found, {name: answer})
    else:
        assert len(found) == 1
        assert found[0].startswith(f"mlbake: {name} ")


@given(slug=typed)
@settings(UNHURRIED, max_examples=60)
def test_a_typed_slug_bakes_its_folder_or_is_refused(slug: str) -> None:
    found = bake_or_refuse({"project_slug": slug})
    if isinstance(found, Tree):
        assert found.slug == slug
        assert slug.isidentifier()
    else:
        assert len(found) == 1
        assert found[0].startswith("mlbake: project_slug ")
        assert found[0].isprintable()


@given(slug=st.from_regex(r"[a-z]([a-z0-9_]{0,30}[a-z0-9])?", fullmatch=True))
@example(slug="a")
@example(slug="pytesu")
@example(slug="_".join("z" * 16))
@settings(UNHURRIED, max_examples=8)
def test_a_project_of_any_name_is_formatted(slug: str) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        try:
            baked = bake({"project_slug": slug}, Path(name))
        except FailedHookException as error:
            assert "is a" in str(error) or "is the name" in str(error)  # noqa: PT017
            return
        assert not ruff_problems(baked.path)


@given(
    slug=st.from_regex(r"[a-z]([a-z0-9_]{0,30}[a-z0-9])?", fullmatch=True),
    owner=st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_./-]{0,60}[A-Za-z0-9])?", fullmatch=True),
)
@example(slug="google_reader", owner="google")
@example(slug="goog", owner="a")
@example(slug="q" * 32, owner="Ada-Lab/with-a-group/and-its-subgroup")
@example(slug="a", owner="a")
@settings(UNHURRIED, max_examples=100)
def test_the_names_in_a_cloud_are_allowed_there(slug: str, owner: str) -> None:
    """S3 takes 3 to 63 of `a-z0-9-`, Google none that looks like its own, Azure 3 to 24 letters."""
    names = context({"project_slug": slug, "repo_owner": owner})["cookiecutter"]
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", names["__bucket"])
    assert "goog" not in names["__bucket"]
    assert re.fullmatch(r"[a-z0-9]{3,24}", "dvc" + names["__azure_unique"])


@pytest.mark.parametrize("mark", EVALUATED)
def test_what_cookiecutter_evaluates_does_not_reach_a_project(mark: str) -> None:
    """Such an answer raises, inside cookiecutter, before a folder is made."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        with pytest.raises(TemplateSyntaxError):
            bake({"description": f"A {mark} b"}, Path(name))
        assert not list(Path(name).iterdir())
