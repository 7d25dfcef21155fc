"""Checks of Dockerfiles and of what .dockerignore lets them see."""

import functools
import posixpath
import re
from collections.abc import Iterable

from forest import Forest, Found, Where, union

# What else lies in a project that is used, and should not reach a build
LYING_ABOUT = (
    ".env",
    ".git/config",
    ".venv/bin/python",
    "data/processed/digits/test.npz",
    "models/history.csv",
    "models/model.ckpt",
    "models/model.onnx",
    "outputs/train/train.log",
    "src/{slug}/__pycache__/cli.pyc",
    "uv.lock",
)


@functools.lru_cache(maxsize=100_000)
def _matches(pattern: str, path: str) -> bool:
    """Say whether a pattern of .dockerignore or COPY means a file, or a folder that holds it."""
    parts = re.split(r"(\*\*/|\*|\[\w+\])", posixpath.normpath(pattern))
    known = {"**/": "(.*/)?", "*": "[^/]*"}
    expression = "".join(
        known.get(part, part if part.startswith("[") else re.escape(part)) for part in parts
    )
    return bool(re.fullmatch(f"{expression}(/.*)?", path))


def _ignored(lines: Iterable[str], path: str) -> bool:
    verdict = False
    for line in lines:
        if _matches(line.removeprefix("!"), path):
            verdict = not line.startswith("!")
    return verdict


@functools.lru_cache(maxsize=2000)
def _copied(dockerfile: str) -> tuple[str, ...]:
    """Return what a Dockerfile copies from the project."""
    lines = re.findall(r"^COPY +(.*)$", dockerfile.replace("\\\n", " "), re.MULTILINE)
    return tuple(
        word
        for line in lines
        if "--from=" not in line
        for word in line.split()[:-1]
        if not word.startswith("--")
    )


def leaky_contexts(forest: Forest) -> Found:
    """Find what a Dockerfile copies and does not get, and what it gets and does not copy."""
    found = Found()
    builds = _Builds(forest)
    for path, texts in forest.under(".dockerfile").items():
        for text, where in texts.items():
            for source in _copied(text):
                missing = where & ~builds.matching(source, builds.sent)
                there = builds.matching(source, builds.there)
                left_out = f"{path}: copies {source}, which .dockerignore leaves out"
                found.note(left_out, missing & there)
                found.note(f"{path}: copies {source}, which is not there", missing & ~there)
    for path, where in builds.sent.items():
        needed = 0 if "__pycache__" in path else builds.copied(path)
        problem = f".dockerignore: lets {path} through, which no Dockerfile copies"
        found.note(problem, where & ~needed)
    for rules, where in builds.rules.items():
        for rule in rules:
            if rule.startswith("!"):
                idle = where & ~builds.matching(rule[1:], builds.there)
                found.note(f".dockerignore: {rule} lets nothing through", idle)
    return found


class _Builds:
    """What builds of images see.

    Attributes:
        there: Where there is each file, those that lie about included.
        rules: Where .dockerignore holds which rules, if there is any Dockerfile.
        sent: Where each file reaches a build.
    """

    def __init__(self, forest: Forest) -> None:
        lying_about = {path.format(slug=forest.slug): forest.all for path in LYING_ABOUT}
        self.there = {**forest.present, **lying_about}
        self._dockerfiles = forest.under(".dockerfile")
        built = union(map(forest.has, self._dockerfiles))
        self.rules: dict[tuple[str, ...], Where] = {}
        for text, where in forest.column(".dockerignore").items():
            lines = (text or "").splitlines()
            rules = tuple(line for line in lines if line and not line.startswith("#"))
            self.rules[rules] = self.rules.get(rules, 0) | (where & built)
        self.sent = Found()
        for rules, where in self.rules.items():
            for path, there in self.there.items():
                if where & there and not _ignored(rules, path):
                    self.sent.note(path, where & there)

    def matching(self, pattern: str, paths: dict[str, Where]) -> Where:
        """Return where a pattern means any of the paths."""
        return union(where for path, where in paths.items() if _matches(pattern, path))

    def copied(self, path: str) -> Where:
        """Return where a Dockerfile copies a file."""
        return union(
            where
            for texts in self._dockerfiles.values()
            for text, where in texts.items()
            if any(_matches(source, path) for source in _copied(text))
        )
