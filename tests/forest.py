"""Every combination of answers at once: which texts there are, and where each of them stands.

Most files of a template are the same in most projects, so looking at each project anew looks at
the same text hundreds of times. A `Forest` holds each distinct text once, with the combinations
that have it. A set of combinations is an integer, one bit each: bit 5 is `forest.rows[5]`. Sets
are called `where`; `a & b` is where both hold, `a & ~b` where the first holds alone,
`a.bit_count()` how often, and the lowest bit is the first of them.

    forest = Forest.grow(rows)              # every project that `rows` bake
    forest = Forest.of(tree)                # one project: a universe of one combination

    forest.variants["README.md"]            # text -> where README.md is that text
    forest.present["infra/aws/main.tf"]     # where there is such a file
    forest.has("Makefile")                  # the same, 0 if it is nowhere
    forest.is_path("infra")                 # where there is such a file or folder
    forest.all                              # every combination
    forest.all & ~forest.has("Makefile")    # where there is none

A check asks where something is said and where it holds, and notes the difference:

    def unexplained_secrets(forest: Forest) -> Found:
        found = Found()
        for path in forest.under(".yaml", folder=".github/"):
            for line, where in forest.lines[path].items():
                for name in re.findall(r"secrets\\.(\\w+)", line):
                    told = forest.search(name, ".md")
                    found.note(f"{path}: reads {name}, which no page explains", where & ~told)
        return found

What reads a few files only, but all of them together, can stay a check of one `Tree`:
`per_class(check, belongs)` runs it once for each distinct set of those files' texts.

The texts of a forest are rendered, not baked; `test_projects.py` compares them with real bakes.
"""

import functools
import operator
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from bakery import (
    TREE,
    Answers,
    answers_read,
    context,
    environment,
    is_copied,
    marks,
    names_read,
    raw_questions,
    template_files,
)
from checks.tree import Tree
from jinja2 import Template

# A word that no text holds by chance, so that whatever names it names the project
SLUG = "quartz_reader"
# The name under which the output of the hooks stands among the files
PRINTED = "hook output"

Where = int
Variants = dict[str, Where]
Value = TypeVar("Value", bound=Hashable)

# Sets of combinations ----------------------------------------------------------------------------


def as_set(members: Iterable[int], size: int) -> Where:
    """Return the set of some numbers below `size`."""
    bytes_ = bytearray(size // 8 + 1)
    for one in members:
        bytes_[one >> 3] |= 1 << (one & 7)
    return int.from_bytes(bytes_, "little")


def members(where: Where) -> list[int]:
    """List the numbers in a set, the lowest first."""
    return [number for number, bit in enumerate(reversed(f"{where:b}")) if bit == "1"]


def first(where: Where) -> int:
    """Return the lowest number in a set that is not empty."""
    return (where & -where).bit_length() - 1


def union(sets: Iterable[Where]) -> Where:
    """Return what is in any of the sets."""
    return functools.reduce(operator.or_, sets, 0)


def classes(
    columns: Iterable[Mapping[Value, Where]], within: Where
) -> dict[tuple[Value, ...], Where]:
    """Split `within` by the values that its combinations have in every column.

    A column maps each value to where it holds, and one value holds in each combination.
    """
    found: dict[tuple[Value, ...], Where] = {(): within}
    for column in columns:
        found = {
            (*values, value): both
            for values, where in found.items()
            for value, there in column.items()
            if (both := where & there)
        }
    return found


class Found(dict[str, Where]):
    """Problems, each with where it is."""

    def note(self, problem: str, where: Where) -> None:
        """Add where a problem is; nothing happens if that is nowhere."""
        if where:
            self[problem] = self.get(problem, 0) | where

    def add(self, other: Mapping[str, Where]) -> None:
        """Note all of the other's problems too."""
        for problem, where in other.items():
            self.note(problem, where)

    def report(self, rows: list[Answers]) -> str:
        """Say each problem once, with how often and with which answers first."""
        return "\n".join(
            f"{problem}\n    in {where.bit_count()} of {len(rows)} combinations,"
            f" first {rows[first(where)]}"
            for problem, where in sorted(self.items())
        )


# Rendering ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Derived:
    """A variable of cookiecutter.json that is made from answers.

    Attributes:
        template: Makes its value.
        reads: The questions that it depends on.
        known: The values made so far, by the answers to those questions.
    """

    template: Template
    reads: tuple[str, ...]
    known: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def value(self, names: Answers) -> str:
        """Make the value, once for each set of the answers that it depends on."""
        key = tuple(names[question] for question in self.reads)
        if key not in self.known:
            self.known[key] = self.template.render(cookiecutter=names)
        return self.known[key]


class Contexts:
    """Makes what templates see of a set of answers; `bakery.context` says the same, slower."""

    def __init__(self) -> None:
        self.usual = context({"project_slug": SLUG})["cookiecutter"]
        asked = [name for name in self.usual if not name.startswith("_")]
        self.derived = {
            name: Derived(
                environment().from_string(source),
                tuple(question for question in asked if question in answers_read(source)),
            )
            for name, source in raw_questions().items()
            if name.startswith("__") and isinstance(source, str)
        }

    def of(self, row: Answers) -> Answers:
        """Return every variable's value for the answers of `row`, defaults for the others."""
        names = {**self.usual, **row}
        for name, derived in self.derived.items():
            names[name] = derived.value(names)
        return names


class Source:
    """A file of the template.

    Attributes:
        name: Its path in the template's folder, with Jinja and marks.
        content: Its text, or its bytes where it is no text.
        reads: The questions that its path and its text depend on.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        raw = (TREE / name).read_bytes()
        try:
            self.content: str | bytes = raw.decode("utf-8")
        except UnicodeDecodeError:
            self.content = raw
        self._copied = is_copied(name) or isinstance(self.content, bytes)
        templates = [name] if self._copied else [name, str(self.content)]
        self.reads = frozenset().union(*map(answers_read, templates))
        self._names = frozenset().union(*map(names_read, templates))

    def render(self, names: Answers) -> tuple[str, str | bytes]:
        """Return the path, marks included, and the content for one set of variables.

        Only those variables are passed on that the syntax tree names: a text that depended on
        another one would raise, instead of being taken for the text of combinations that differ.
        """
        seen = {"cookiecutter": {name: names[name] for name in self._names if name in names}}
        path = environment().from_string(self.name).render(seen)
        if isinstance(self.content, bytes) or self._copied:
            return path, self.content
        return path, environment().from_string(self.content).render(seen)


@functools.cache
def sources() -> tuple[Source, ...]:
    """Read every file of the template."""
    return tuple(map(Source, template_files()))


# Every project at once ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Forest:
    """Every project that some combinations of answers bake.

    Attributes:
        slug: The projects' folder, package and command name.
        rows: The answers of each combination.
        all: The set of all combinations that are looked at.
        variants: For each path of a text file: its distinct texts, and where each stands.
        binaries: For each path of any other file: its distinct contents, and where each stands.
        printed: What the hooks print, and where.
        possible: Every path that the template has for some answers.
        empty: The folders that hold nothing, and where.
        holds: Where each word of marks holds.
    """

    slug: str
    rows: list[Answers]
    all: Where
    variants: dict[str, Variants]
    binaries: dict[str, dict[bytes, Where]] = field(default_factory=dict)
    printed: Variants = field(default_factory=dict)
    possible: frozenset[str] = frozenset()
    empty: dict[str, Where] = field(default_factory=dict)
    holds: dict[str, Where] = field(default_factory=dict)

    @classmethod
    def grow(cls, rows: list[Answers], files: Collection[str] | None = None) -> Self:
        """Render the projects of `rows`: each file once for each set of answers that it reads.

        Args:
            rows: The answers of each combination; all rows answer the same questions.
            files: Which files of the template to render, all if None.
        """
        everything = (1 << len(rows)) - 1
        contexts = Contexts()
        names = [contexts.of(row) for row in rows]
        chosen = {name: _column(row[name] for row in rows) for name in rows[0]}
        runs = [marks(one) for one in names]
        pattern = runs[0].pattern
        holds = {
            word: as_set((n for n, run in enumerate(runs) if run.holds[word]), len(rows))
            for word in runs[0].holds
        }
        found: dict[str, dict[Any, Where]] = defaultdict(lambda: defaultdict(int))
        possible = set()
        for source in sources():
            if files is not None and source.name not in files:
                continue
            read = [chosen[name] for name in sorted(source.reads & chosen.keys())]
            kept = everything
            for word in pattern.findall(source.name):
                kept &= holds[word]
            possible.add(pattern.sub("", source.render(names[0])[0]))
            for where in classes(read, kept).values():
                path, content = source.render(names[first(where)])
                found[pattern.sub("", path)][content] |= where
        return cls(
            slug=names[0]["project_slug"],
            rows=rows,
            all=everything,
            variants={path: dict(v) for path, v in found.items() if _is_text(v)},
            binaries={path: dict(v) for path, v in found.items() if not _is_text(v)},
            printed=_column(run.printed for run in runs),
            possible=frozenset(possible),
            holds=holds,
        )

    @classmethod
    def of(cls, tree: Tree) -> Self:
        """Return one project as a universe of one combination."""
        return cls(
            slug=tree.slug,
            rows=[dict(tree.answers)],
            all=1,
            variants={path: {text: 1} for path, text in tree.texts.items()},
            binaries={p: {content: 1} for p, content in tree.files.items() if p not in tree.texts},
            printed={tree.printed: 1} if tree.printed else {},
            possible=tree.possible,
            empty=dict.fromkeys(tree.empty, 1),
        )

    def only(self, where: Where) -> Self:
        """Return the part of this forest that lies in `where`; the bits stay those of `rows`."""
        return type(self)(
            slug=self.slug,
            rows=self.rows,
            all=self.all & where,
            variants=_within(self.variants, where),
            binaries=_within(self.binaries, where),
            printed={text: both for text, there in self.printed.items() if (both := there & where)},
            possible=self.possible,
            empty={path: both for path, there in self.empty.items() if (both := there & where)},
            holds={word: there & where for word, there in self.holds.items()},
        )

    # Where there is a file, a folder, a name

    @functools.cached_property
    def contents(self) -> dict[str, dict[Any, Where]]:
        """Map each path of a file to its distinct contents, text or bytes, and their places."""
        return {**self.variants, **self.binaries}

    @functools.cached_property
    def present(self) -> dict[str, Where]:
        """Map each path of a file to where it is."""
        return {path: union(contents.values()) for path, contents in self.contents.items()}

    @functools.cached_property
    def folders(self) -> dict[str, Where]:
        """Map each folder to where it is."""
        found = Found(self.empty)
        for path, where in self.present.items():
            while path := posixpath.dirname(path):
                found.note(path, where)
        return found

    @functools.cached_property
    def names(self) -> dict[str, Where]:
        """Map each file's name, without its folder, to where there is a file of that name."""
        found = Found()
        for path, where in self.present.items():
            found.note(posixpath.basename(path), where)
        return found

    def has(self, path: str) -> Where:
        """Return where there is a file at `path`."""
        return self.present.get(path, 0)

    def is_path(self, path: str) -> Where:
        """Return where there is a file or a folder at `path`."""
        return self.has(path) | self.folders.get(path, 0)

    # What files say

    def texts(self, path: str) -> Variants:
        """Return the distinct texts at `path`, none if there is no such text file."""
        return self.variants.get(path, {})

    def under(self, *suffixes: str, folder: str = "") -> dict[str, Variants]:
        """Return the text files inside `folder` whose names end in one of `suffixes`."""
        return {
            path: texts
            for path, texts in self.variants.items()
            if path.endswith(suffixes) and path.startswith(folder)
        }

    def said(self) -> Iterator[tuple[str, Variants]]:
        """Yield the path and the texts of each text file, and what the hooks print."""
        yield from self.variants.items()
        if self.printed:
            yield PRINTED, self.printed

    @functools.cached_property
    def numbered(self) -> dict[str, dict[tuple[int, str], Where]]:
        """Map each path that `said` yields, Python files aside, to its lines with their numbers."""
        return {path: _lines(texts) for path, texts in self.said() if not path.endswith(".py")}

    @functools.cached_property
    def lines(self) -> dict[str, dict[str, Where]]:
        """Map each path that `said` yields, Python files aside, to its distinct lines."""
        found: dict[str, dict[str, Where]] = {}
        for path, numbered in self.numbered.items():
            lines = found[path] = Found()
            for (_, line), where in numbered.items():
                lines.note(line, where)
        return found

    def pieces(self, path: str) -> Variants:
        """Return what to search at `path`: its lines or, where it is Python, its whole texts."""
        if path in self.lines:
            return self.lines[path]
        return self.texts(path)

    def search(self, pattern: str, *suffixes: str, folder: str = "") -> Where:
        """Return where a line of a text file that is not Python, as `under` finds it, matches."""
        return self._search(pattern, suffixes, folder)

    @functools.cached_property
    def _search(self) -> Callable[[str, tuple[str, ...], str], Where]:
        @functools.cache
        def merged(suffixes: tuple[str, ...], folder: str) -> Found:
            found = Found()
            for path in self.under(*suffixes, folder=folder):
                found.add(self.lines[path])
            return found

        @functools.cache
        def search(pattern: str, suffixes: tuple[str, ...], folder: str) -> Where:
            matches = re.compile(pattern).search
            return union(where for line, where in merged(suffixes, folder).items() if matches(line))

        return search

    # Several files together, and answers

    def chosen(self, question: str) -> dict[Any, Where]:
        """Map each answer to a question to where it was given."""
        found: dict[Any, list[int]] = defaultdict(list)
        for number, row in enumerate(self.rows):
            if question in row:
                found[row[question]].append(number)
        sets = {answer: as_set(rows, len(self.rows)) for answer, rows in found.items()}
        return {answer: both for answer, where in sets.items() if (both := where & self.all)}

    def column(self, path: str) -> dict[Any, Where]:
        """Map each text at `path` to where it stands, and None to where there is none."""
        texts = self.texts(path)
        rest = self.all & ~union(texts.values())
        return {**texts, None: rest} if rest else {**texts}

    def classes(self, paths: Iterable[str]) -> Iterator[tuple[dict[str, str], Where]]:
        """Split all combinations by the texts at `paths`.

        Yields:
            The texts by their paths, without those that are not there, and where they are so.
        """
        paths = list(paths)
        for texts, where in classes(map(self.column, paths), self.all).items():
            pairs = zip(paths, texts, strict=True)
            yield {path: text for path, text in pairs if text is not None}, where

    def tree(self, number: int) -> Tree:
        """Return one combination as a project in memory."""
        bit = 1 << number
        files = {
            path: text.encode() if isinstance(text, str) else text
            for path, contents in self.contents.items()
            for text, where in contents.items()
            if where & bit
        }
        return Tree(
            self.slug,
            files,
            tuple(path for path, where in self.empty.items() if where & bit),
            self.rows[number],
            self.possible,
            "".join(text for text, where in self.printed.items() if where & bit),
        )


def per_class(
    check: Callable[[Tree], Iterable[str]], belongs: Callable[[str], bool]
) -> Callable[[Forest], Found]:
    """Turn a check of one project, which reads only paths that belong, into one of a forest.

    The trees that it gets hold nothing but these files, and no answers.
    """

    @functools.wraps(check)
    def run(forest: Forest) -> Found:
        found = Found()
        for texts, where in forest.classes(filter(belongs, forest.variants)):
            tree = Tree(forest.slug, {path: text.encode() for path, text in texts.items()})
            for problem in check(tree):
                found.note(problem, where)
        return found

    return run


def _column(values: Iterable[Hashable]) -> dict[Any, Where]:
    """Map each value to the set of the places that it has in `values`."""
    places: dict[Hashable, list[int]] = defaultdict(list)
    number = -1
    for number, value in enumerate(values):
        places[value].append(number)
    return {value: as_set(numbers, number + 1) for value, numbers in places.items()}


def _is_text(contents: Iterable[str | bytes]) -> bool:
    return all(isinstance(content, str) for content in contents)


def _within(
    files: Mapping[str, Mapping[Value, Where]], where: Where
) -> dict[str, dict[Value, Where]]:
    left = {
        path: {content: both for content, there in contents.items() if (both := there & where)}
        for path, contents in files.items()
    }
    return {path: contents for path, contents in left.items() if contents}


def _lines(texts: Variants) -> dict[tuple[int, str], Where]:
    """Split texts into their lines, numbered from 1, and say where each stands."""
    wheres = list(texts.values())
    found: dict[tuple[int, str], list[Where]] = defaultdict(list)
    for text, where in texts.items():
        for place in enumerate(text.split("\n"), 1):
            found[place].append(where)
    whole = union(wheres)
    # Most lines stand in every text
    return {
        place: whole if len(there) == len(wheres) else union(there)
        for place, there in found.items()
    }
