"""Checks of one text at a time, and of a folder by ruff."""

import ast
import configparser
import functools
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Any

import nbformat
import yaml

# Words of the template's making that no baked project has a use for
RESIDUE = re.compile(
    r"""(?<!\$)\{\{ | \{% | \{\#                # Jinja; ${{ }} belongs to workflows
      | \bcookiecutter\b | \brejected_answer\b | \b__\w+__prompt__\b
      | \bTODO\b | \bFIXME\b | \bXXX\b | \blorem[ ]ipsum\b""",
    re.VERBOSE | re.IGNORECASE,
)
# In Python two braces also stand for one in an f-string
PYTHON_RESIDUE = re.compile(RESIDUE.pattern.replace(r"(?<!\$)\{\{", r"\{\{[ ]"), RESIDUE.flags)
ONE_BLANK_LINE = (".yaml", ".yml", ".toml", ".md", ".cfg", ".ini", ".json")
INI = (".cfg", ".ini", ".dvc/config", ".editorconfig")


class _StrictLoader(yaml.SafeLoader):
    """YAML as PyYAML reads it, but a repeated key is an error and local tags are let through."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build a mapping whose keys differ."""
        own = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        keys = [self.construct_object(key, deep=True) for key in own]
        if repeated := {str(key) for key in keys if keys.count(key) > 1}:
            raise yaml.constructor.ConstructorError(
                None, None, f"repeated key {', '.join(sorted(repeated))}", node.start_mark
            )
        return super().construct_mapping(node, deep)


_StrictLoader.add_multi_constructor("!", lambda loader, suffix, node: None)


@functools.lru_cache(maxsize=5000)
def read_yaml(text: str) -> Any:
    """Read a YAML text of one document, once: leave what you get as it is.

    The header of a GitLab pipeline, which asks for its inputs, is taken into the document below it.

    Raises:
        yaml.YAMLError: It is none, or it repeats a key.
    """
    if re.match(r"(#.*\n)*spec:\n", text):
        header, content = yaml.load_all(text, _StrictLoader)
        return header | content
    return yaml.load(text, _StrictLoader)  # noqa: S506 - a SafeLoader


def cells(text: str) -> list[str]:
    """Return the source of a notebook's code cells."""
    notebook = nbformat.reads(text, as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def _parse_notebook(text: str) -> None:
    nbformat.validate(nbformat.reads(text, as_version=4))
    for cell in cells(text):
        ast.parse(cell)


def _parse_ini(text: str) -> None:
    configparser.ConfigParser(interpolation=None).read_string(f"[top]\n{text}")


def _parse_env(text: str) -> None:
    for line in text.splitlines():
        if line and not re.fullmatch(r"#.*|[A-Z][A-Z0-9_]*=\S*", line):
            raise ValueError(f"{line!r} is neither a comment nor NAME=value")


def labels(dockerfile: str) -> dict[str, str]:
    """Read what a Dockerfile says of its image, as a build does.

    Raises:
        ValueError: A value ends early, or part of it would be taken for a variable.
    """
    found = {}
    for name, rest in re.findall(r"\borg\.opencontainers\.image\.(\w+)=(\".*)", dockerfile):
        value = re.fullmatch(r'"((?:[^"\\$]|\\["\\$])*)"(?: \\)?', rest)
        if value is None:
            raise ValueError(f"label {name} does not parse: {rest}")
        found[name] = re.sub(r"\\(.)", r"\1", value.group(1))
    return found


def _parser(path: str) -> Callable[[str], Any] | None:
    if path.endswith(INI):
        return _parse_ini
    if path.rpartition("/")[2].startswith(".env"):
        return _parse_env
    parsers: dict[str, Callable[[str], Any]] = {
        ".py": lambda text: compile(text, path, "exec", dont_inherit=True),
        ".toml": tomllib.loads,
        ".yaml": read_yaml,
        ".yml": read_yaml,
        ".cff": read_yaml,
        ".dockerfile": labels,
        ".json": json.loads,
        ".ipynb": _parse_notebook,
    }
    return parsers.get(Path(path).suffix)


@functools.lru_cache(maxsize=20_000)
def unparsable(path: str, text: str) -> tuple[str, ...]:
    """Find a text that is not what its name says."""
    parser = _parser(path)
    try:
        if parser:
            parser(text)
    except Exception as error:  # noqa: BLE001 - each parser has its own kinds
        return (f"{path}: does not parse: {' '.join(str(error).split())}",)
    return ()


def residue(path: str, text: str) -> list[str]:
    """Find what the template's author, or Jinja, left behind."""
    pattern = PYTHON_RESIDUE if path.endswith((".py", ".ipynb")) else RESIDUE
    return [
        f"{path}:{number}: residue {word!r}"
        for number, line in enumerate(text.splitlines(), 1)
        for word in _matches(pattern, line)
    ]


@functools.lru_cache(maxsize=100_000)
def _matches(pattern: re.Pattern[str], line: str) -> tuple[str, ...]:
    # Most texts of a file share most of their lines
    return tuple(match.group() for match in pattern.finditer(line))


def untidy(path: str, text: str) -> list[str]:
    """Find white space that is stray or missing, and lines that an ignore file has twice."""
    if not text.strip():
        return [f"{path}: is empty"]
    found = []
    if "\r" in text:
        found.append(f"{path}: has carriage returns")
    if not text.partition("\n")[0].strip():
        found.append(f"{path}: starts with a blank line")
    if not text.endswith("\n"):
        found.append(f"{path}: has no final newline")
    elif text.endswith("\n\n"):
        found.append(f"{path}: ends with a blank line")
    allowed = 1 if path.endswith(ONE_BLANK_LINE) else 2
    blank = 0
    fenced = False
    lines = [*text.rstrip("\n").split("\n"), ""]
    for number, line in enumerate(lines[:-1], 1):
        if line != line.rstrip():
            found.append(f"{path}:{number}: white space at the end of the line")
        if path.endswith(".md") and line.lstrip().startswith("```"):
            fenced = not fenced
            if line[0] == "`" and lines[number - 2 if fenced else number].strip():
                found.append(f"{path}:{number}: no blank line around the code")
        blank = 0 if line.strip() else blank + 1
        if blank == allowed + 1 and not fenced:
            found.append(f"{path}:{number}: {blank} blank lines in a row")
        if path.endswith((".yaml", ".yml")) and "\t" in line:
            found.append(f"{path}:{number}: tab")
        if path.endswith("ignore") and line.strip() and line in lines[: number - 1]:
            found.append(f"{path}:{number}: {line} is there twice")
    return found


TEXT_CHECKS: tuple[Callable[[str, str], Iterable[str]], ...] = (unparsable, residue, untidy)


@functools.lru_cache(maxsize=20_000)
def check_text(path: str, text: str) -> tuple[str, ...]:
    """Run every check of one text, once."""
    return tuple(problem for check in TEXT_CHECKS for problem in check(path, text))


def ruff_problems(folder: Path) -> list[str]:
    """Find what ruff, with the settings that lie in `folder`, would change or object to."""
    found = []
    commands = (
        ["format", "--check", "--no-cache", "--quiet", "--output-format", "concise"],
        ["check", "--no-cache", "--quiet", "--output-format", "concise"],
    )
    for arguments in commands:
        command = [sys.executable, "-m", "ruff", *arguments, "."]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        lines = (run.stdout + run.stderr).splitlines()
        found += lines if run.returncode else []
        if run.returncode and not lines:
            found.append(f"ruff {arguments[0]} failed and said nothing")
    return found
