"""Check of the overrides that texts give to Hydra: `model=cnn`, `trainer.max_epochs=3`."""

import ast
import functools
import re
from collections.abc import Iterator

from forest import Forest, Found, Where
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from checks.commands import calls
from checks.compose import Configs, Job, configs_of, one_line, primary, refused
from checks.recipes import with_recipes
from checks.syntax import syntax

OVERRIDE = re.compile(r"[+~]{0,2}[A-Za-z_]\w*(?:[./@][A-Za-z_]\w*)*=\S*")
# What stands for any override in a sentence, Python's keyword arguments, and environment variables
NO_OVERRIDE = re.compile(r"(key|group|name)=.*|\w+=(True|False|None)|[A-Z_]+=.*")

# A text that gives overrides: the command, or "" where they stand alone; the path; the overrides
Mention = tuple[str, str, Job]


@with_recipes
def unknown_overrides(forest: Forest) -> Found:
    """Find Hydra overrides that don't compose with the project's configs."""
    found = Found()
    mentions = _mentions(forest)
    paths = [path for path in forest.variants if path.startswith("configs/")]
    for texts, where in forest.classes(paths):
        configs = configs_of(texts)
        if names := primary(configs):
            here = {one: both for one, there in mentions.items() if (both := there & where)}
            found.add(_refused_mentions(forest, configs, names, here))
    return found


def _mentions(forest: Forest) -> dict[Mention, Where]:
    found: dict[Mention, Where] = {}
    for path, _ in forest.said():
        for command, overrides, where in (*_called(forest, path), *_alone(forest, path)):
            mention = command, path, overrides
            found[mention] = found.get(mention, 0) | where
    return found


def _called(forest: Forest, path: str) -> Iterator[tuple[str, Job, Where]]:
    for command, arguments, where in calls(forest, path):
        if overrides := tuple(word for word in arguments if OVERRIDE.fullmatch(word)):
            # A variable of a script could be anything
            yield command, tuple(word for word in overrides if "${" not in word), where


def _alone(forest: Forest, path: str) -> Iterator[tuple[str, Job, Where]]:
    """Yield the overrides that stand alone in Markdown's back ticks."""
    for line, where in forest.lines[path].items() if path.endswith(".md") else ():
        for span in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", line):
            words = span.split()
            if all(OVERRIDE.fullmatch(word) for word in words):
                for word in words:
                    if not NO_OVERRIDE.fullmatch(word):
                        yield "", (word,), where


def _refused_mentions(
    forest: Forest, configs: Configs, names: tuple[str, ...], mentions: dict[Mention, Where]
) -> Found:
    """Find the mentions that don't compose with the same `configs`, which hold `names`."""
    found = Found()
    # By the configs that a command may read: each job, with the mentions that it is of
    wanted: dict[tuple[str, ...], dict[Job, list[tuple[str, Where]]]] = {}
    for (command, path, overrides), where in mentions.items():
        problem = f"{path}: overrides {' '.join(overrides)}"
        try:
            jobs = _jobs(overrides)
        except HydraException as error:
            found.note(f"{problem}: {one_line(error)}", where)
            continue
        for read, there in _configs_read(forest, command, names).items():
            for job in jobs if there & where else ():
                wanted.setdefault(read, {}).setdefault(job, []).append((problem, there & where))
    for read, jobs_of_read in wanted.items():
        for job, reason in _refused_jobs(configs, read, tuple(jobs_of_read)).items():
            for problem, where in jobs_of_read[job]:
                found.note(f"{problem}: {reason}", where)
    return found


def _configs_read(
    forest: Forest, command: str, names: tuple[str, ...]
) -> dict[tuple[str, ...], Where]:
    """Map the configs that a command reads to where: one of the strings in its function."""
    if not command:
        return {names: forest.all}
    found: dict[tuple[str, ...], Where] = {}
    for text, where in forest.column(f"src/{forest.slug}/cli.py").items():
        strings = _strings_of_command(text or "", command)
        read = tuple(one for one in strings if one in names) or names
        found[read] = found.get(read, 0) | where
    return found


@functools.lru_cache(maxsize=5000)
def _strings_of_command(text: str, command: str) -> tuple[str, ...]:
    for node in ast.walk(syntax(text)):
        if isinstance(node, ast.FunctionDef) and node.name.replace("_", "-") == command:
            constants = [leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Constant)]
            return tuple(value for value in constants if isinstance(value, str))
    return ()


@functools.lru_cache(maxsize=5000)
def _jobs(overrides: Job) -> list[Job]:
    """Split a sweep into its jobs: each value of each swept key with what does not vary."""
    fixed, swept = [], []
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    for text, override in zip(overrides, parsed, strict=True):
        if override.is_sweep_override():
            start = text.partition("=")[0]
            swept += [f"{start}={value}" for value in override.sweep_string_iterator()]
        else:
            fixed.append(text)
    return [(*fixed, word) for word in swept] or [tuple(fixed)]


def _refused_jobs(
    configs: Configs, names: tuple[str, ...], jobs: tuple[Job, ...]
) -> dict[Job, str]:
    """Return the jobs that don't compose with any of the named configs, and why."""
    # Whether a value can be set does not depend on the value
    alike: dict[Job, list[Job]] = {}
    for job in sorted(jobs):
        alone = len(job) == 1 and "." in job[0].partition("=")[0]
        alike.setdefault((job[0].partition("=")[0],) if alone else job, []).append(job)
    first = {same[0]: same for same in alike.values()}
    return {
        job: reason
        for one, reason in refused(configs, names, tuple(first)).items()
        if all(refused(configs, names, (row,)) for row in _with_options(configs, one))
        for job in first[one]
    }


def _with_options(configs: Configs, job: Job) -> list[Job]:
    """Put each option of a group before a value that stands alone: `data.source` needs one."""
    group = job[0].partition(".")[0] if len(job) == 1 else "no group"
    paths = [path for path, _ in configs if path.startswith(f"configs/{group}/")]
    return [(f"{group}={path.rpartition('/')[2][:-5]}", *job) for path in paths]
