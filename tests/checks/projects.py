"""Every check of what a project's files say about each other: it must be true."""

from collections.abc import Callable

from forest import Forest, Found, union

from checks.choices import traces
from checks.clouds import unknown_environments, unknown_to_terraform, unset_variables
from checks.commands import unknown_commands
from checks.configs import broken_configs, unknown_parameters
from checks.containers import leaky_contexts
from checks.dependencies import (
    undeclared_imports,
    unknown_groups,
    unserved_imports,
    unused_dependencies,
)
from checks.layout import unlisted_parts
from checks.names import broken_imports, broken_references
from checks.overrides import unknown_overrides
from checks.paths import dangling_paths
from checks.texts import check_text, unparsable
from checks.wings import busy_packages, wrong_direction
from checks.workflows import unexplained_secrets, unknown_parts

# The slowest first, because processes share them
CHECKS: tuple[Callable[[Forest], Found], ...] = (
    unknown_overrides,
    broken_configs,
    dangling_paths,
    unknown_commands,
    unknown_groups,
    undeclared_imports,
    unserved_imports,
    unused_dependencies,
    unknown_parameters,
    broken_imports,
    broken_references,
    unexplained_secrets,
    unknown_environments,
    unknown_to_terraform,
    unset_variables,
    unknown_parts,
    leaky_contexts,
    unlisted_parts,
    wrong_direction,
    busy_packages,
    traces,
)


def faulty_texts(forest: Forest) -> Found:
    """Find what is wrong with a text by itself."""
    found = Found()
    for path, texts in forest.variants.items():
        for text, where in texts.items():
            for problem in check_text(path, text):
                found.note(problem, where)
    return found


def parsable(forest: Forest) -> Forest:
    """Return the part of a forest whose files parse: the checks read their syntax."""
    broken = union(
        where
        for path, texts in forest.variants.items()
        for text, where in texts.items()
        if unparsable(path, text)
    )
    return forest.only(forest.all & ~broken) if broken else forest
