"""Variants: files of the template that become one module, each for another choice."""

import ast
from collections import defaultdict
from pathlib import PurePosixPath

import pytest
from bakery import TREE, is_copied, marks, render, template_files

MARK = marks({}).pattern
SOURCES = [name for name in template_files() if name.startswith("src/") and name.endswith(".py")]


def variants() -> dict[str, list[str]]:
    """Map each module that has variants to their files."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in SOURCES:
        found[MARK.sub("", name)].append(name)
    return {module: names for module, names in found.items() if len(names) > 1}


def imports(importer: str) -> list[tuple[str, str]]:
    """List the names that a module imports from its own package, each with its module's path."""
    folders = PurePosixPath(MARK.sub("", importer)).parents
    return [
        (f"{folders[node.level - 1]}/{node.module.replace('.', '/')}.py", alias.name)
        for node in ast.walk(ast.parse((TREE / importer).read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level and node.module
        for alias in node.names
    ]


def needed() -> dict[str, set[str]]:
    """Map modules with variants to the names that modules of one text import from them.

    Such a module is the same in every project, so that every variant must suit it. A module with
    Jinja, or one that is a variant itself, can import other names for another choice.
    """
    chosen = variants()
    found: dict[str, set[str]] = defaultdict(set)
    for importer in SOURCES:
        if is_copied(importer) and MARK.sub("", importer) not in chosen:
            for module, name in imports(importer):
                if module in chosen and not belongs_to_one(importer, chosen[module]):
                    found[module].add(name)
    return found


def belongs_to_one(importer: str, files: list[str]) -> bool:
    """Say whether a module is there with one of some variants only, as its marks tell."""
    words = [set(MARK.findall(file)) for file in files]
    telling = set.union(*words) - set.intersection(*words)
    return bool(telling & set(MARK.findall(importer)))


def parameters(function: ast.FunctionDef) -> list[str]:
    """List the parameters that a call must give; mypy checks their types in each bake."""
    given = [*function.args.posonlyargs, *function.args.args]
    return [one.arg for one in given[: len(given) - len(function.args.defaults)]]


def interface(text: str) -> dict[str, list[str]]:
    """Map each name that a module defines to its parameters, and a constant to nothing.

    The methods of a class are names too, such as `Batcher.submit`.
    """
    found: dict[str, list[str]] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = parameters(node)
        elif isinstance(node, ast.ClassDef):
            found[node.name] = []
            for part in node.body:
                if isinstance(part, ast.FunctionDef):
                    found[f"{node.name}.{part.name}"] = parameters(part)
        elif isinstance(node, ast.Assign):
            found |= {target.id: [] for target in node.targets if isinstance(target, ast.Name)}
    return found


def test_a_module_that_has_one_text_imports_from_a_variant() -> None:
    assert "load_model" in needed()["src/{{cookiecutter.project_slug}}/inference/runtime.py"]


@pytest.mark.parametrize(("module", "names"), needed().items())
def test_variants_have_the_same_names_and_parameters(module: str, names: set[str]) -> None:
    found = {
        variant: interface(render(variant, {"project_slug": "package"}))
        for variant in variants()[module]
    }
    for variant, defined in found.items():
        assert names <= defined.keys(), f"{variant} lacks a name"
    (first, expected), *others = found.items()
    for variant, defined in others:
        for name in expected.keys() & defined.keys():
            if name.partition(".")[0] in names:
                assert defined[name] == expected[name], f"{variant} differs from {first}: {name}"
