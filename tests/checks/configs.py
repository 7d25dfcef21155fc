"""Checks of Hydra's configuration files and of what DVC reads of them."""

import functools
import importlib
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from forest import Forest, Found, Where, per_class

from checks.compose import configs_of, primary, refused
from checks.recipes import with_recipes
from checks.texts import read_yaml
from checks.tree import Tree


@functools.lru_cache(maxsize=5000)
def _targets(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[\"']?_target_[\"']?\s*[:=]\s*[\"']?([\w.]+)", text))


def targets(forest: Forest) -> Iterator[tuple[str, str, Where]]:
    """Yield each class that a text tells Hydra to call: path, class and where."""
    for path, texts in forest.under(".yaml", ".yml", ".py").items():
        if path.startswith("tests/"):
            continue  # a test may name what does not exist, to see it refused
        for text, where in texts.items():
            for target in _targets(text):
                yield path, target, where


def foreign_targets(forest: Forest) -> dict[str, set[str]]:
    """Map each class of another package that a config names to the arguments it gets."""
    found: dict[str, set[str]] = {}

    def visit(node: Any) -> None:
        if isinstance(node, dict):
            target = str(node.get("_target_", ""))
            if target and not target.startswith(f"{forest.slug}."):
                arguments = {key for key in node if not key.startswith("_")}
                found.setdefault(target, set()).update(arguments)
            for value in node.values():
                visit(value)

    for texts in forest.under(".yaml", folder="configs/").values():
        for text in texts:
            visit(read_yaml(text))
    return found


def missing_foreign_targets(targets: Mapping[str, Iterable[str]]) -> list[str]:
    """Import classes that configs name and find those that, or whose arguments, don't exist."""
    found = []
    for target, arguments in targets.items():
        module, _, name = target.rpartition(".")
        try:
            value = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            found.append(f"{target}: can't be imported: {error}")
            continue
        try:
            parameters = inspect.signature(value).parameters.values()
        except ValueError:  # a class written in C does not tell
            value(**dict.fromkeys(arguments, 1))
            continue
        if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters):
            continue
        names = {one.name for one in parameters}
        found += [f"{target}: takes no {argument}" for argument in set(arguments) - names]
    return found


def _broken_configs(tree: Tree) -> list[str]:
    configs = configs_of(tree.texts)
    names = primary(configs)
    found = [
        f"configs/{name}.yaml: {reason}"
        for name in names
        for reason in refused(configs, (name,), ((),)).values()
    ]
    if found:
        return found  # with them, nothing composes
    options = {path[8:-5].rpartition("/")[::2]: path for path, _ in configs if path.count("/") > 1}
    left = refused(configs, names, tuple((f"{group}={name}",) for group, name in options))
    # A group that no config has in its defaults has to be added
    left = refused(configs, names, tuple((f"+{job[0]}",) for job in left))
    return [
        f"{options[group, name]}: {reason}"
        for job, reason in left.items()
        for group, _, name in [job[0].removeprefix("+").partition("=")]
    ]


def _unknown_parameters(tree: Tree) -> list[str]:
    text, found = _fill_in(tree)
    for stage, settings in (read_yaml(text) or {}).get("stages", {}).items():
        for row in settings.get("params", []):
            files = row if isinstance(row, dict) else {"params.yaml": [row]}
            for path, names in files.items():
                if path not in tree.texts:
                    found.append(f"dvc.yaml: {stage} depends on {path}, which is not there")
                    continue
                config = read_yaml(tree.texts[path])
                found += [
                    f"dvc.yaml: {stage} depends on {name}, not in {path}"
                    for name in names or []
                    if not _has_key(config, name)
                ]
    return found


def _fill_in(tree: Tree) -> tuple[str, list[str]]:
    """Put the values of its `vars` into dvc.yaml: the text, and what is wrong with the rest."""
    text, found = tree.texts.get("dvc.yaml", "{}"), []
    values: dict[str, Any] = {}
    for entry in (read_yaml(text) or {}).get("vars", []):
        path, _, names = entry.partition(":")
        config = read_yaml(tree.texts.get(path, "{}"))
        values |= {name: config.get(name) for name in names.split(",")}

    def value(match: re.Match[str]) -> str:
        reached: Any = values
        for name, index in re.findall(r"(\w+)|\[(\d+)\]", match.group(1)):
            try:
                reached = reached[name or int(index)]
            except (KeyError, IndexError, TypeError):
                found.append(f"dvc.yaml: {match.group()} stands for nothing")
                return match.group()
        return str(reached)

    return re.sub(r"\$\{([\w.\[\]]+)\}", value, text), found


def _has_key(config: Any, dotted: str) -> bool:
    for part in dotted.split("."):
        if not isinstance(config, dict) or part not in config:
            return False
        config = config[part]
    return True


def _is_config(path: str) -> bool:
    return path.startswith("configs/")


@with_recipes
def broken_configs(forest: Forest) -> Found:
    """Find primary configs and group options that don't compose."""
    return per_class(_broken_configs, _is_config)(forest)


def unknown_parameters(forest: Forest) -> Found:
    """Find parameters of dvc.yaml that the named file does not hold."""
    return per_class(_unknown_parameters, lambda path: _is_config(path) or path == "dvc.yaml")(
        forest
    )
