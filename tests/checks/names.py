"""Checks of the modules, classes and functions of the package that texts name."""

import functools
import re
from collections.abc import Callable

from forest import Forest, Found, Where

from checks.recipes import with_recipes
from checks.syntax import defined, imported_names, members


@with_recipes
def broken_imports(forest: Forest) -> Found:
    """Find imports from the package of modules or names that it does not have."""
    found = Found()
    resolved = _resolver(forest)
    for path, texts in forest.under(".py", ".ipynb").items():
        for text, where in texts.items():
            for line, name in imported_names(path, text):
                if name.partition(".")[0] == forest.slug:
                    problem = f"{path}:{line}: imports {name}, which does not exist"
                    found.note(problem, where & ~resolved(name))
    return found


@with_recipes
def broken_references(forest: Forest) -> Found:
    """Find dotted names of modules, classes and entry points that the package does not have."""
    slug = re.escape(forest.slug)
    pattern = re.compile(rf"(?<![\w/.@-]){slug}((?:\.[A-Za-z_]\w*)+)(?::([A-Za-z_]\w*))?(?![\w/-])")
    found = Found()
    resolved = _resolver(forest)
    for path in forest.variants:
        for text, where in forest.pieces(path).items():
            for names, entry in pattern.findall(text) if forest.slug in text else ():
                dotted = f"{forest.slug}{names}" + (f".{entry}" if entry else "")
                missing = where & ~resolved(dotted)
                found.note(f"{path}: names {dotted}, which does not exist", missing)
    return found


def _resolver(forest: Forest) -> Callable[[str], Where]:
    """Return a function that says where a dotted name exists."""

    @functools.cache
    def resolved(dotted: str) -> Where:
        parts = dotted.split(".")
        found, left = 0, forest.all
        # The longest part that is a module decides; the rest are names in it
        for length in range(len(parts), 0, -1):
            place = "src/" + "/".join(parts[:length])
            for path in (f"{place}.py", f"{place}/__init__.py"):
                for text, where in forest.texts(path).items():
                    if _holds(text, parts[length:]):
                        found |= where & left
                left &= ~forest.has(path)
        return found

    return resolved


def _holds(module: str, names: list[str]) -> bool:
    """Say whether a module defines a name, and its class the next."""
    if not names:
        return True
    if names[0] not in defined(module):
        return names[0].startswith("__") and len(names) == 1  # __version__, __file__
    inside = members(module, names[0])
    return len(names) == 1 or inside is None or names[1] in inside
