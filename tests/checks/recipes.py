"""Files that a page tells its reader to write: the checks of what the page names see them."""

import functools
import re
from collections.abc import Callable
from dataclasses import replace

from forest import Forest, Found, Variants

PAGE = "docs/changing.md"
# A path that ends the line before a block: what the file holds, or what comes at its end
RECIPE = re.compile(r"`([\w/]+\.\w+)`:\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def followed(forest: Forest) -> Forest:
    """Return the projects with the new files that the page shows."""
    new: dict[str, Variants] = {}
    for text, where in forest.texts(PAGE).items():
        for path, block in RECIPE.findall(text):
            if path not in forest.variants:
                variants = new.setdefault(path, {})
                variants[block] = variants.get(block, 0) | where
    return replace(forest, variants=forest.variants | new)


def with_recipes(check: Callable[[Forest], Found]) -> Callable[[Forest], Found]:
    """Let a check see the new files that the page shows, because the page names them."""

    @functools.wraps(check)
    def checked(forest: Forest) -> Found:
        return check(followed(forest))

    return checked
