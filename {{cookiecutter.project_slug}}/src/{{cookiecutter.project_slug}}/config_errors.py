"""What is wrong with a configuration, or with the machine, in one line that says what to do."""

import errno
import inspect
import json
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import InstantiationException, OverrideParseException
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from . import UserError

# What the file system refuses, whatever the code does
MACHINE = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EEXIST,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}
# Types that values of a configuration have, and how a message calls them
PLAIN: dict[Any, Any] = {bool: bool, int: int, float: (int, float), str: str, NoneType: NoneType}
CALLED = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def as_text(key: str, value: str) -> str:
    """Write an override as the shell needs it, for Hydra to take any value as text.

    Args:
        key: Such as `data.source`.
        value: Such as `/tmp/café`.

    Returns:
        Such as `'data.source="/tmp/café"'`.
    """
    windows = os.name == "nt"
    quoted = QuotedString(value.replace("${", r"\${"), Quote.single if windows else Quote.double)
    override = f"{key}={quoted.with_quotes()}"
    return f'"{override}"' if windows else shlex.quote(override)


def refuse_empty(overrides: list[str]) -> None:
    """Refuse `key=`, which an unset variable of a shell leaves.

    Raises:
        UserError: Names the override.
    """
    for override in overrides:
        if re.fullmatch(r"[^\s=]+=\s*", override):
            raise UserError(f"{override} has no value; for none, write {override.strip()}null")


def expand_home(cfg: Any) -> None:
    """Put the home folder in place of `~` in each value that starts with it, as a shell does."""
    for key in range(len(cfg)) if OmegaConf.is_list(cfg) else list(cfg):
        if OmegaConf.is_missing(cfg, key) or OmegaConf.is_interpolation(cfg, key):
            continue
        value = cfg[key]
        if OmegaConf.is_config(value):
            expand_home(value)
        elif isinstance(value, str) and re.match(r"~($|[/\\])", value):
            cfg[key] = str(Path(value).expanduser())


def explain(error: BaseException) -> str:
    """Say in one line what an error of the user's means.

    Args:
        error: Of Hydra, OmegaConf, a YAML file, the file system or this package.
    """
    text = " ".join(str(error).split())
    if isinstance(error, OverrideParseException):
        key, equals, value = error.override.partition("=")
        if not equals:
            return f"{error.override!r} is neither an option nor key=value"
        return f"Hydra can't read {error.override}; if that is text, write {as_text(key, value)}"
    if match := re.match(r"Ambiguous value for argument '(.*?)=(.*)' 1\. ", text):
        key, value = match.groups()
        text = (
            f"{key}={value} could be text, a list or a sweep: write {as_text(key, value)}, "
            f"{shlex.quote(f'{key}=[{value}]')}, or add --multirun"
        )
    elif mark := getattr(error, "problem_mark", None):  # of a YAML file
        text = f"{mark.name}, line {mark.line + 1}: {getattr(error, 'problem', text)}"
    elif isinstance(error, OSError) and error.strerror and error.filename:
        text = f"{error.filename}: {error.strerror}"
    text = text.partition(" Config search path:")[0]
    text, _, where = text.partition(" full_key: ")
    key = where.partition(" ")[0]
    return text if key in text else f"{key}: {text}"


def fixable(error: Exception, cfg: DictConfig) -> str | None:
    """Say what the user can do about an error of a step; None if the code is wrong.

    Args:
        error: Which the step raised.
        cfg: The configuration that it got.
    """
    if isinstance(error, UserError | OmegaConfBaseException):
        return explain(error)
    if wrong := next(wrong_types(cfg), None):
        return wrong
    from lightning_fabric.utilities.exceptions import MisconfigurationException

    if isinstance(error, MisconfigurationException) or getattr(error, "errno", None) in MACHINE:
        return explain(error)
    # Hydra wraps each error of a class that it builds from the configuration
    cause = error.__cause__ if isinstance(error, InstantiationException) else None
    if isinstance(cause, UserError):
        return explain(cause)
    if isinstance(cause, MisconfigurationException | ValueError) or takes_no_such(cause, cfg):
        return f"{str(error).partition('full_key: ')[2]}: {cause}"
    return None


def takes_no_such(error: BaseException | None, cfg: DictConfig) -> bool:
    """Say whether a class has no parameter of the name of a key in the configuration."""
    match = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    return match is not None and f"'{match[1]}':" in str(cfg)


def wrong_types(cfg: Any, name: str = "") -> Iterator[str]:
    """Find plain values of a type that their class does not take, one line each.

    Args:
        cfg: A part of the configuration; where it has a `_target_`, the annotations of that say
            what it takes.
        name: Where the part is, such as `data`.
    """
    if not isinstance(cfg, DictConfig):
        return
    kinds: dict[str, Any] = {}
    target = None
    # What can't be found is another mistake than a wrong type
    with suppress(Exception):
        target = get_object(cfg["_target_"]) if "_target_" in cfg else None
    for owner in reversed(inspect.getmro(target)) if inspect.isclass(target) else ():
        with suppress(Exception):
            kinds |= get_type_hints(vars(owner).get("__init__", object))
    for key in map(str, cfg):
        if OmegaConf.is_missing(cfg, key) or OmegaConf.is_interpolation(cfg, key):
            continue
        path, value = f"{name}.{key}".lstrip("."), cfg[key]
        if key in kinds and not fits(value, kinds[key]):
            kind = CALLED.get(kinds[key], str(kinds[key]))
            given = json.dumps(value, default=OmegaConf.to_container)
            hint = f": write {as_text(path, given)}" if kind == "text" and given.isalnum() else ""
            yield f"{path} is {given}, but has to be {kind}{hint}"
        yield from wrong_types(value, path)


def fits(value: Any, kind: Any) -> bool:
    """Say whether a value can be of an annotated type; a type that is not plain takes any."""
    if get_origin(kind) in {Union, UnionType}:
        return any(fits(value, one) for one in get_args(kind))
    if kind is not bool and isinstance(value, bool):
        return kind not in PLAIN
    return kind not in PLAIN or isinstance(value, PLAIN[kind])
