"""Composing configurations as Hydra does, as seldom as possible: each takes 30 ms."""

import atexit
import functools
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from checks.texts import read_yaml

# The paths and texts of the configuration files of one project
Configs = tuple[tuple[str, str], ...]
# The overrides of one run
Job = tuple[str, ...]


def configs_of(texts: Mapping[str, str]) -> Configs:
    """Return the configuration files among a project's texts."""
    return tuple(
        sorted(
            (path, text)
            for path, text in texts.items()
            if path.startswith("configs/") and path.endswith(".yaml")
        )
    )


def primary(configs: Configs) -> tuple[str, ...]:
    """Name the configs that are no option of a group, the largest first."""
    found = [(len(text), path[8:-5]) for path, text in configs if path.count("/") == 1]
    return tuple(name for _, name in sorted(found, reverse=True))


@functools.lru_cache(maxsize=1000)
def refused(configs: Configs, names: tuple[str, ...], jobs: tuple[Job, ...]) -> dict[Job, str]:
    """Let Hydra compose each job with any of the named configs; return those it refuses, and why.

    A composition takes 30 ms, so jobs that can't help each other are composed in one; if that is
    refused, each is composed alone.
    """
    groups = {path[8:].rpartition("/")[0] for path, _ in configs}
    left = dict.fromkeys(jobs, "")
    for name in names:
        refused: dict[Job, str] = {}

        def problem_of(job: Job, name: str = name) -> str:
            return _composition_problem(_reached(configs, name, job), name, job)

        for batch in _batches(tuple(left), groups):
            if problem_of(tuple(word for job in batch for word in job)):
                refused |= {job: problem_of(job) for job in batch}
        left = {job: left[job] or reason for job, reason in refused.items() if reason}
    return left


@functools.lru_cache(maxsize=5000)
def _reached(configs: Configs, name: str, job: Job) -> Configs:
    """Leave out the files that a job can't choose, so that projects share its composition."""
    texts = dict(configs)
    chosen = {re.split(r"[/@=]", word.lstrip("+~"), maxsplit=1)[0] for word in job}
    # A config may start from another one, which it names in its defaults
    based, names = set[str](), [name]
    while names:
        path = f"configs/{names.pop()}.yaml"
        if path in texts and path not in based:
            based.add(path)
            for row in read_yaml(texts[path]).get("defaults", []):
                if isinstance(row, dict):
                    chosen |= {key.split()[-1] for key in row}
                else:
                    names.append(row)
    return tuple(
        (path, text) for path, text in configs if path in based or path.split("/")[1] in chosen
    )


def _batches(jobs: tuple[Job, ...], groups: set[str]) -> list[list[Job]]:
    """Put jobs together that either only choose options or only set values, of different parts."""
    batches: list[tuple[object, set[str], list[Job]]] = []
    for job in jobs:
        kind, parts = _kind_and_parts(job, groups)
        for other, taken, batch in batches:
            if other == kind and not taken & parts:
                taken |= parts
                batch.append(job)
                break
        else:
            batches.append((kind, set(parts), [job]))
    return [batch for _, _, batch in batches]


def _kind_and_parts(job: Job, groups: set[str]) -> tuple[object, set[str]]:
    names = {word.partition("=")[0] for word in job}
    if any(name.startswith(("+", "~")) for name in names):
        return job, names  # what it adds could make another one valid
    chosen = {name in groups for name in names}
    return (chosen.pop() if len(chosen) == 1 else job), names


@functools.lru_cache(maxsize=5000)
def _composition_problem(configs: Configs, name: str, overrides: Job) -> str:
    try:
        with initialize_config_dir(_config_folder(configs), version_base="1.3"):
            compose(name, list(overrides), return_hydra_config=True)
    except (HydraException, OmegaConfBaseException) as error:
        return one_line(error)
    return ""


def one_line(error: Exception) -> str:
    """Return what is wrong, without the paths that Hydra searched."""
    return " ".join(str(error).split()).partition(" Config search path")[0]


@functools.lru_cache(maxsize=1)
def _config_folder(configs: Configs) -> str:
    folder = _scratch() / str(abs(hash(configs)))
    for path, text in configs:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return str(folder / "configs")


@functools.cache
def _scratch() -> Path:
    folder = tempfile.mkdtemp(prefix="mlbake-configs-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
