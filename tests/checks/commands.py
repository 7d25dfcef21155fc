"""Checks of calls of the project's own command and modules."""

import ast
import functools
import json
import re
import shlex
from collections.abc import Iterator

from forest import Forest, Found, Where

from checks.syntax import syntax

Arguments = tuple[str, ...]
Options = tuple[str, ...] | None


@functools.lru_cache(maxsize=2000)
def cli_commands(text: str) -> dict[str, Options]:
    """Read the commands of a Typer module, each with its options, or None if it takes any.

    A command of a group is named with it: `cloud train`.
    """
    found: dict[str, Options] = {}
    groups = dict(re.findall(r"^app\.add_typer\((\w+), name=\"([\w-]+)\"", text, re.MULTILINE))
    for function in ast.walk(syntax(text)):
        if not isinstance(function, ast.FunctionDef):
            continue
        for decorator in function.decorator_list:
            if not (
                isinstance(decorator, ast.Call)
                and isinstance(decorator.func, ast.Attribute)
                and decorator.func.attr == "command"
            ):
                continue
            given = [a.value for a in decorator.args if isinstance(a, ast.Constant)]
            name = str(given[0]) if given else function.name.replace("_", "-")
            group = groups.get(getattr(decorator.func.value, "id", ""))
            name = f"{group} {name}" if group else name
            anything = any(word.arg == "context_settings" for word in decorator.keywords)
            found[name] = None if anything else _options(function)
    return found


def _options(function: ast.FunctionDef) -> tuple[str, ...]:
    options = ["--help"]
    for argument in [*function.args.args, *function.args.kwonlyargs]:
        note = argument.annotation
        literals = [
            str(node.value)
            for node in (ast.walk(note) if note else ())
            if isinstance(node, ast.Constant) and str(node.value).startswith("-")
        ]
        options += literals or [f"--{argument.arg.replace('_', '-')}"]
    return tuple(option for text in options for option in text.split("/"))


@functools.lru_cache(maxsize=50_000)
def command_lines(text: str, slug: str) -> tuple[tuple[str, Arguments], ...]:
    """Return what follows each call of the project's command: the command and its arguments."""
    if slug not in text:
        return ()
    pattern = rf"(?<![\w./\[-])(?<!cd )(?<!from )(?<!import )(?<!activate ){slug} ([a-z][\w-]*)"
    found = []
    for match in re.finditer(pattern, text):
        rest = re.split(r"[\n`|;]|&&|\"\s*[,\]]|\\n| {2,}| # ", text[match.end() :], maxsplit=1)[0]
        try:
            arguments = shlex.split(rest)
        except ValueError:
            arguments = rest.split()
        if not (text[match.end() :] + "\n")[0].isspace():
            arguments = []
        found.append((match.group(1), tuple(arguments)))
    if f'"module": "{slug}"' in text:  # an editor's launch.json
        for entry in json.loads(text)["configurations"]:
            if entry.get("module") == slug:
                name, *arguments = entry.get("args", ["--help"])
                found.append((name, tuple(arguments)))
    return tuple(found)


def calls(forest: Forest, path: str) -> Iterator[tuple[str, Arguments, Where]]:
    """Yield every call of the project's command in a file: the command, its arguments, where."""
    for text, where in _pieces(forest, path).items():
        for name, arguments in command_lines(text, forest.slug):
            yield name, arguments, where


def _pieces(forest: Forest, path: str) -> dict[str, Where]:
    # A call ends with its line; an editor's calls are lists over several
    return forest.texts(path) if path.endswith(".json") else forest.pieces(path)


def unknown_commands(forest: Forest) -> Found:
    """Find calls of commands, options and modules that the project does not have."""
    found = Found()
    cli = _CommandLine(forest)
    for path, _ in forest.said():
        for command, given, called in calls(forest, path):
            for name, arguments, where in cli.in_groups(command, given, called):
                call = f"{path}: calls {forest.slug} {name}"
                found.note(f"{call}, which is no command", where & ~cli.known.get(name, 0))
                for argument in arguments:
                    refused = where & cli.refuses(name, argument)
                    found.note(f"{call} {argument}, which is no option", refused)
        for text, where in _pieces(forest, path).items():
            for module in re.findall(rf"-m[ \"',]+({forest.slug}[\w.]*)", text):
                idle = where & _can_not_run(forest, module)
                found.note(f"{path}: calls python -m {module}, which can't be run", idle)
    return found


class _CommandLine:
    """The commands that the project has, and where.

    Attributes:
        known: Where each command is one; those of a group are named with it.
        groups: Where each word is a group of commands.
    """

    def __init__(self, forest: Forest) -> None:
        self.known, self.groups = Found(), Found()
        self._options: dict[str, list[tuple[Options, Where]]] = {}
        for text, where in forest.texts(f"src/{forest.slug}/cli.py").items():
            for name, options in cli_commands(text).items():
                self.known.note(name, where)
                if " " in name:
                    self.groups.note(name.partition(" ")[0], where)
                self._options.setdefault(name, []).append((options, where))

    def in_groups(
        self, name: str, arguments: Arguments, where: Where
    ) -> Iterator[tuple[str, Arguments, Where]]:
        """Take the first argument for the rest of a command's name, where it is a group's."""
        inside = where & self.groups.get(name, 0) if arguments else 0
        if inside:
            yield f"{name} {arguments[0]}", arguments[1:], inside
        yield name, arguments, where & ~inside

    def refuses(self, name: str, argument: str) -> Where:
        """Return where an argument is an option that the command does not have."""
        if not argument.startswith("-"):
            return 0
        option = argument.partition("=")[0]
        found = 0
        for options, where in self._options.get(name, []):
            if options is not None and option not in options:
                found |= where
        return found


def _can_not_run(forest: Forest, module: str) -> Where:
    """Return where there is a module that does nothing when Python runs it."""
    # What does not even exist is for `broken_references` to find
    place = f"src/{module.replace('.', '/')}"
    idle = 0
    for text, where in forest.texts(f"{place}.py").items():
        if "__main__" not in text:
            idle |= where
    return idle & ~forest.has(f"{place}/__main__.py")
