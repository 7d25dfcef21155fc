"""Checks of the package's folders, its wings: their order, and that they run no code themselves."""

import ast

from checks.syntax import imported_names, syntax
from checks.tree import Tree

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


def wrong_direction(tree: Tree) -> list[str]:
    """Find imports of anything but what stands below, also in functions and for types alone."""
    package = f"src/{tree.slug}/"
    modules = tree.under(".py", folder=package)
    wings = {path.removeprefix(package).split("/")[0] for path in modules if path.count("/") > 2}
    found = [
        f"{package}{wing}/: has no place in the order: add it to ORDER in tests/checks/wings.py"
        for wing in sorted(wings)
        if not any(wing in row for row in ORDER)
    ]
    for path, text in modules.items():
        own = path.removeprefix(package).removesuffix(".py").split("/")[0]
        for line, name in imported_names(path, text):
            top, _, inside = name.partition(".")
            other = inside.partition(".")[0]
            if not (other in wings or f"{package}{other}.py" in modules):
                other = "__init__"  # a name that the package itself defines
            if top == tree.slug and not _may_import(own, other):
                found.append(f"{path}:{line}: imports {name}, but {other} is not below {own}")
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


def busy_packages(tree: Tree) -> list[str]:
    """Find wings whose `__init__.py` is missing, or holds more than a docstring.

    What it imported would be imported by all that import any module of the wing.
    """
    package = f"src/{tree.slug}/"
    folders = {path.rpartition("/")[0] for path in tree.under(".py", folder=package)}
    found = []
    for folder in sorted(folders - {package.rstrip("/")}):
        path = f"{folder}/__init__.py"
        if path not in tree.texts:
            found.append(f"{folder}/: has no __init__.py")
        elif syntax(tree.texts[path]).body[1:] or not ast.get_docstring(syntax(tree.texts[path])):
            found.append(f"{path}: holds more than a docstring, or none")
    return found
