"""A baked project in memory."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from bakery import read_tree


@dataclass(frozen=True)
class Tree:
    """The files of a project.

    Attributes:
        slug: Its folder, package and command name.
        files: Every file's bytes, by its path.
        empty: The folders that hold nothing.
        answers: What was chosen, by question.
        possible: Every path that the template has, before any was pruned.
        printed: What the hooks said after the bake.
    """

    slug: str
    files: Mapping[str, bytes]
    empty: tuple[str, ...] = ()
    answers: Mapping[str, Any] = field(default_factory=dict)
    possible: frozenset[str] = frozenset()
    printed: str = ""

    @classmethod
    def read(cls, folder: Path, **facts: Any) -> Self:
        """Read a project from disk."""
        files, empty = read_tree(folder)
        return cls(folder.name, files, tuple(empty), **facts)

    @functools.cached_property
    def texts(self) -> dict[str, str]:
        """Every file that is UTF-8 text, by its path."""
        found = {}
        for path, content in self.files.items():
            try:
                found[path] = content.decode("utf-8")
            except UnicodeDecodeError:
                continue
        return found

    @functools.cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that a file lies in, and every empty one."""
        parents = {p.as_posix() for path in self.files for p in Path(path).parents}
        return frozenset(parents - {"."}) | frozenset(self.empty)

    def under(self, *suffixes: str, folder: str = "") -> dict[str, str]:
        """Return the texts inside `folder` whose names end in one of `suffixes`."""
        return {
            path: text
            for path, text in self.texts.items()
            if path.endswith(suffixes) and path.startswith(folder)
        }

    def with_file(self, path: str, text: str) -> Self:
        """Return this tree with one file added or replaced."""
        return replace(self, files={**self.files, path: text.encode()})

    def without(self, path: str) -> Self:
        """Return this tree with one file missing."""
        return replace(self, files={p: text for p, text in self.files.items() if p != path})
