"""Checks of the package's folders, its wings: their order, and that they run no code themselves."""

import ast

from forest import Forest, Found

from checks.recipes import with_recipes
from checks.syntax import imported_names, syntax

# From the ground up. Wings of one row stand beside each other and don't import each other.
ORDER = (
    ("datasets", "networks"),
    ("inference",),
    ("evaluation", "serving"),
    ("training",),
    ("cloud",),
)
# The modules above the wings, which may import each other and everything else
DOOR = ("cli", "__main__", "hydra_job")


@with_recipes
def wrong_direction(forest: Forest) -> Found:
    """Find imports of anything but what stands below, also in functions and for types alone."""
    found = Found()
    package = f"src/{forest.slug}/"
    modules = forest.under(".py", folder=package)
    parts = {path.removeprefix(package).removesuffix(".py").split("/")[0] for path in modules}
    for path, texts in modules.items():
        own = path.removeprefix(package).removesuffix(".py").split("/")[0]
        if f"{package}{own}.py" not in modules and not any(own in row for row in ORDER):
            problem = "has no place in the order; add it to ORDER in tests/checks/wings.py"
            found.note(f"{package}{own}/: {problem}", forest.has(path))
        for text, where in texts.items():
            for line, name in imported_names(path, text):
                top, _, inside = name.partition(".")
                # What is no module is a name that the package itself defines
                other = (
                    inside.partition(".")[0] if inside.partition(".")[0] in parts else "__init__"
                )
                if top == forest.slug and not _may_import(own, other):
                    problem = f"imports {name}, but {other} is not below {own}"
                    found.note(f"{path}:{line}: {problem}", where)
    return found


def _may_import(own: str, other: str) -> bool:
    neighbours = own in DOOR and other in DOOR
    return own == other or neighbours or _floor(other) < _floor(own)


def _floor(part: str) -> int:
    """Return how high a wing, or a module beside the wings, stands."""
    if part == "__init__":
        return -1
    if part in DOOR:
        return len(ORDER) + 1
    # A module beside the wings that is not of the door stands on the ground and imports none
    return next((number for number, row in enumerate(ORDER, 1) if part in row), 0)


def busy_packages(forest: Forest) -> Found:
    """Find wings whose `__init__.py` is missing, or holds more than a docstring.

    What it imported would be imported by all that import any module of the wing.
    """
    found = Found()
    package = f"src/{forest.slug}/"
    for path in forest.under(".py", folder=package):
        folder = path.rpartition("/")[0]
        if folder == package.rstrip("/"):
            continue
        first = f"{folder}/__init__.py"
        found.note(f"{folder}/: has no __init__.py", forest.has(path) & ~forest.has(first))
        for text, where in forest.texts(first).items():
            if syntax(text).body[1:] or not ast.get_docstring(syntax(text)):
                found.note(f"{first}: holds more than a docstring, or none", where)
    return found
