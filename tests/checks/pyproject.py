"""What a project's pyproject.toml declares, in which combinations."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from forest import Forest, Found, Where

# Import names that differ from the name of the distribution
DISTRIBUTIONS = {
    "PIL": "pillow",
    "comet_ml": "comet-ml",
    "dotenv": "python-dotenv",
    "hydra": "hydra-core",
    "lightning_fabric": "pytorch-lightning",
    "pydantic_core": "pydantic",
    "pytorch_lightning": "pytorch-lightning",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


def canonical(requirement: str) -> str:
    """Return the name in a requirement as registries write it: `Foo_bar>=1` is `foo-bar`."""
    name = re.match(r"[\w.-]*", requirement.strip())
    return re.sub(r"[-_.]+", "-", name.group() if name else "").lower()


def distribution(module: str) -> str:
    """Return the distribution that holds a module."""
    return DISTRIBUTIONS.get(module, canonical(module))


class Declared:
    """What pyproject.toml declares.

    Attributes:
        own: Where the package itself needs each distribution; those of its extras too.
        grouped: Where any dependency group holds each distribution.
        extras: Where there is each extra.
        groups: Where there is each group.
        included: Where there is each pair of a group and a group that it includes.
        default: Where each group is one of uv's default groups.
        tools: Where each tool has settings.
    """

    def __init__(self, forest: Forest) -> None:
        self.own, self.grouped, self.extras, self.groups = Found(), Found(), Found(), Found()
        self.default, self.tools = Found(), Found()
        self.included: dict[tuple[str, str], Where] = {}
        self._members: dict[str, dict[frozenset[str], Where]] = {}
        for table, where in _tables(forest).items():
            settings = tomllib.loads(table)
            self._add_project(settings.get("project", {}), where)
            self._add_groups(settings.get("dependency-groups", {}), where)
            tools = settings.get("tool", {})
            for tool in tools:
                self.tools.note(canonical(tool), where)
            default = tools.get("uv", {}).get("default-groups", [])
            for group in default if isinstance(default, list) else ():
                self.default.note(group, where)

    def _add_project(self, project: Mapping[str, Any], where: Where) -> None:
        extras = project.get("optional-dependencies", {})
        for extra in extras:
            self.extras.note(extra, where)
        for rows in (project.get("dependencies", []), *extras.values()):
            for row in rows:
                self.own.note(canonical(row), where)

    def _add_groups(self, groups: Mapping[str, list[Any]], where: Where) -> None:
        for group, rows in groups.items():
            self.groups.note(group, where)
            held = frozenset(_members(groups, group))
            sets = self._members.setdefault(group, {})
            sets[held] = sets.get(held, 0) | where
            for row in rows:
                if isinstance(row, str):
                    self.grouped.note(canonical(row), where)
                else:
                    pair = group, row["include-group"]
                    self.included[pair] = self.included.get(pair, 0) | where

    def members(self, group: str) -> dict[frozenset[str], Where]:
        """Map each set of distributions that a group holds, included ones too, to where."""
        return self._members.get(group, {})

    def holds(self, group: str, name: str) -> Where:
        """Return where a group, or one that it includes, holds a distribution."""
        found = 0
        for held, where in self.members(group).items():
            if name in held:
                found |= where
        return found


def _members(groups: Mapping[str, list[Any]], group: str) -> set[str]:
    found = set()
    for row in groups.get(group, []):
        found |= (
            {canonical(row)} if isinstance(row, str) else _members(groups, row["include-group"])
        )
    return found


def _tables(forest: Forest) -> Found:
    """Return the tables of pyproject.toml: there are few of them, in very many combinations."""
    found = Found()
    for text, where in forest.texts("pyproject.toml").items():
        for table in re.split(r"^(?=\[)", text, flags=re.MULTILINE):
            found.note(table, where)
    return found
