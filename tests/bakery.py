"""Bake projects by the hundred: cookiecutter's own functions and both hooks, in one process.

Two things make a plain bake slow: Jinja compiles every template file again, and each hook starts
an interpreter. `bake` keeps the compiled templates and runs the rendered hooks where it is.
`test_questions.py` shows that the trees are those of the command line, byte for byte.
"""

import ast
import contextlib
import functools
import io
import itertools
import json
import os
import random
import re
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any
from unittest import mock

from binaryornot.check import is_binary
from cookiecutter.environment import StrictEnvironment
from cookiecutter.exceptions import FailedHookException
from cookiecutter.generate import generate_context, is_copy_only_path
from cookiecutter.main import cookiecutter
from cookiecutter.prompt import prompt_for_config
from cookiecutter.utils import work_in
from jinja2 import Template, nodes

TEMPLATE = Path(__file__).resolve().parents[1]
TREE = TEMPLATE / "{{cookiecutter.project_slug}}"

# They change words inside files, never which parts a project has: one value per bake is enough
COSMETIC = ("license", "python_version", "environment")

# Thousands of small files are written and removed: in memory, where there is such a folder
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108

Answers = dict[str, Any]
Toggles = Mapping[str, list[Any]]


def raw_questions(template: Path = TEMPLATE) -> dict[str, Any]:
    """Read cookiecutter.json as it stands."""
    return json.loads((template / "cookiecutter.json").read_text(encoding="utf-8"))


def questions(template: Path = TEMPLATE) -> dict[str, list[Any]]:
    """Map every question with a fixed set of answers to that set, default first."""
    toggles = {}
    for name, value in raw_questions(template).items():
        if name.startswith("_"):
            continue
        if isinstance(value, list):
            toggles[name] = value
        elif isinstance(value, bool):
            toggles[name] = [value, not value]
    return toggles


def free_text(template: Path = TEMPLATE) -> list[str]:
    """Name the questions that take any text."""
    names = raw_questions(template)
    return [n for n, value in names.items() if isinstance(value, str) and not n.startswith("_")]


def product(toggles: Toggles) -> Iterator[Answers]:
    """Yield every set of answers, the last question varying fastest."""
    for values in itertools.product(*toggles.values()):
        yield dict(zip(toggles, values, strict=True))


def combinations(toggles: Toggles, cosmetic: Collection[str] = COSMETIC) -> list[Answers]:
    """List every combination of the structural toggles, each with cosmetic answers.

    These take turns, so that every pair that holds a cosmetic answer occurs somewhere.
    """
    names = [name for name in cosmetic if name in toggles]
    looks = itertools.cycle(product({name: toggles[name] for name in names}))
    structural = {name: values for name, values in toggles.items() if name not in names}
    parts = list(product(structural))
    # In the order of `product` a look would meet the same few answers again and again
    random.Random(0).shuffle(parts)
    rows = [look | part for look, part in zip(looks, parts, strict=False)]
    return [{name: row[name] for name in toggles} for row in rows]


class ReusedEnvironment(StrictEnvironment):
    """Cookiecutter's Jinja environment, but what it compiled once stays compiled."""

    def __init__(self, context: dict[str, Any]) -> None:
        """Make the environment as `cookiecutter.utils.create_env_with_context` does."""
        variables = context["cookiecutter"].get("_jinja2_env_vars", {})
        super().__init__(context=context, keep_trailing_newline=True, **variables)
        self.auto_reload = False
        self.compiled = functools.lru_cache(maxsize=2000)(super().from_string)

    def __setattr__(self, name: str, value: object) -> None:
        """Keep the first loader: cookiecutter sets a new one, which empties the cache, per bake."""
        if name != "loader" or getattr(self, "loader", None) is None:
            super().__setattr__(name, value)

    def from_string(self, source: Any, *args: Any, **kwargs: Any) -> Template:
        """Compile `source`, once."""
        if args or kwargs or not isinstance(source, str):
            return super().from_string(source, *args, **kwargs)
        return self.compiled(source)


@functools.cache
def environment(template: Path = TEMPLATE) -> ReusedEnvironment:
    """Return this process's Jinja environment for `template`."""
    return ReusedEnvironment({"cookiecutter": raw_questions(template)})


@functools.cache
def _user_config() -> dict[str, Any]:
    # Nothing is read from, or written to, the home folder of whoever runs the tests
    folder = tempfile.mkdtemp(prefix="mlbake-user-")
    return {"cookiecutters_dir": folder, "replay_dir": folder}


@functools.cache
def _is_binary(name: str, folder: str) -> bool:
    return is_binary(str(Path(folder, name)))


@dataclass
class HookRun:
    """What the hooks of one bake printed."""

    output: str = ""

    def run_script(self, script_path: str, cwd: Path | str = ".") -> None:
        """Stand in for `cookiecutter.hooks.run_script`, in this process.

        Raises:
            FailedHookException: The script exited with anything but 0, or raised.
        """
        script = Path(script_path)
        code = compile(script.read_bytes(), script_path, "exec")
        script.unlink()
        out = io.StringIO()
        names: dict[str, Any] = {"__name__": "__main__", "__file__": script_path}
        try:
            with work_in(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                exec(code, names)  # noqa: S102 - the template's own hook
        except SystemExit as stop:
            if stop.code:
                raise FailedHookException(f"{out.getvalue()}{stop.code}") from None
        except Exception as error:
            raise FailedHookException(f"hook raised {error!r}") from error
        self.output += out.getvalue()


@dataclass(frozen=True)
class Bake:
    """A baked project.

    Attributes:
        path: Its folder.
        output: What the hooks printed.
    """

    path: Path
    output: str


@contextlib.contextmanager
def fast_engine(template: Path = TEMPLATE) -> Iterator[HookRun]:
    """Let cookiecutter keep what it compiled for `template`, and run the hooks in this process."""
    run = HookRun()
    reuse = mock.Mock(return_value=environment(template))
    with contextlib.ExitStack() as patches:
        for module in ("generate", "hooks", "prompt"):
            name = f"cookiecutter.{module}.create_env_with_context"
            patches.enter_context(mock.patch(name, reuse))
        patches.enter_context(mock.patch("cookiecutter.hooks.run_script", run.run_script))
        patches.enter_context(
            mock.patch(
                "cookiecutter.generate.is_binary", lambda name: _is_binary(name, str(Path.cwd()))
            )
        )
        # A refused bake is an answer here, not an accident: its traceback would only be noise
        patches.enter_context(mock.patch("cookiecutter.hooks.logger"))
        yield run


def bake(answers: Mapping[str, Any], out_dir: Path, template: Path = TEMPLATE) -> Bake:
    """Bake a project into a new folder of `out_dir`.

    Raises:
        FailedHookException: A hook refused the answers; its text is what the hook printed.
    """
    with fast_engine(template) as run:
        path = cookiecutter(
            str(template),
            no_input=True,
            extra_context=dict(answers),
            output_dir=str(out_dir),
            default_config=_user_config(),
        )
    return Bake(Path(path), run.output)


def context(answers: Mapping[str, Any], template: Path = TEMPLATE) -> dict[str, Any]:
    """Return what the template files see for `answers`, derived variables included."""
    raw = generate_context(str(template / "cookiecutter.json"), extra_context=dict(answers))
    env = environment(template)
    with mock.patch("cookiecutter.prompt.create_env_with_context", return_value=env):
        return {"cookiecutter": prompt_for_config(raw, no_input=True)}


def template_files(template: Path = TEMPLATE) -> list[str]:
    """List the files that cookiecutter walks over, as paths inside the template folder."""
    tree = template / TREE.name
    return sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file())


def is_copied(name: str, template: Path = TEMPLATE) -> bool:
    """Say whether cookiecutter copies a template file as it is."""
    settings = {"cookiecutter": raw_questions(template)}
    parents = [parent.as_posix() for parent in Path(name).parents][:-1]
    return any(is_copy_only_path(path, settings) for path in [name, *parents])


def render(name: str, answers: Mapping[str, Any], template: Path = TEMPLATE) -> str:
    """Render one template file, or read it where cookiecutter copies it."""
    text = (template / TREE.name / name).read_text(encoding="utf-8")
    if is_copied(name, template):
        return text
    return environment(template).from_string(text).render(**context(answers, template))


@functools.lru_cache(maxsize=2000)
def names_read(source: str, template: Path = TEMPLATE) -> frozenset[str]:
    """Name the variables of cookiecutter.json that a Jinja text itself names, by its syntax tree.

    A text that takes all of them at once, as `cookiecutter | tojson` does, names every one.
    """
    tree = environment(template).parse(source)
    names = {node.attr for node in tree.find_all(nodes.Getattr) if _is_answers(node.node)}
    for node in tree.find_all(nodes.Getitem):
        if _is_answers(node.node) and isinstance(node.arg, nodes.Const):
            names.add(node.arg.value)
    uses = sum(node.name == "cookiecutter" for node in tree.find_all(nodes.Name))
    looked_up = sum(
        _is_answers(node.node) for node in tree.find_all((nodes.Getattr, nodes.Getitem))
    )
    return frozenset(names | set(raw_questions(template)) if uses > looked_up else names)


def answers_read(source: str, template: Path = TEMPLATE) -> set[str]:
    """Name the questions whose answers a Jinja text depends on, by its syntax tree.

    A derived variable of cookiecutter.json counts as the questions that it is derived from.
    """
    raw = raw_questions(template)
    seen: set[str] = set()
    texts = [source]
    while texts:
        new = names_read(texts.pop(), template) - seen
        seen |= new
        derived = (raw.get(name) for name in new if name.startswith("__"))
        texts += [text for text in derived if isinstance(text, str)]
    return {name for name in seen if name in raw and not name.startswith("_")}


@functools.cache
def _hook_without_files(template: Path) -> ast.Module:
    """Parse the post-gen hook as a bake renders it, but let `settle` touch nothing."""
    source = (template / "hooks" / "post_gen_project.py").read_text(encoding="utf-8")
    tree = ast.parse(environment(template).from_string(source).render(**context({}, template)))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "settle":
            node.body = [ast.Pass(lineno=node.lineno, col_offset=0)]
    return tree


@functools.cache
def _hook_for_other_answers(template: Path) -> tuple[CodeType, Answers]:
    """Return the hook without its `ANSWERS`, which the caller sets, and the default answers."""
    tree = _hook_without_files(template)
    rest = [node for node in tree.body if "ANSWERS" not in _assigned(node)]
    return compile(ast.Module(rest, []), "hook", "exec"), context({}, template)["cookiecutter"]


def _assigned(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


@dataclass(frozen=True)
class Marks:
    """What the post-gen hook does with the marks in paths, for one set of answers.

    Attributes:
        holds: Whether each word holds.
        final: Maps a rendered path to where its file ends up, or to None.
        pattern: Matches a mark; its group is the word.
        printed: What the hook prints, right only where the derived answers were given too.
    """

    holds: dict[str, bool]
    final: Callable[[str], str | None]
    pattern: re.Pattern[str]
    printed: str


def marks(answers: Mapping[str, Any], template: Path = TEMPLATE) -> Marks:
    """Run the post-gen hook on no files."""
    code, usual = _hook_for_other_answers(template)
    lines: list[str] = []
    names: dict[str, Any] = {
        "ANSWERS": {**usual, **answers},
        "print": lambda *words: lines.append(" ".join(map(str, words)) + "\n"),
    }
    exec(code, names)  # noqa: S102 - the template's own hook
    return Marks(names["HOLDS"], names["final"], names["MARK"], "".join(lines))


@functools.cache
def words_read(template: Path = TEMPLATE) -> dict[str, set[str]]:
    """Name, for each word of marks, the questions that decide whether it holds."""
    known = questions(template)
    values = {
        name: node.value
        for node in _hook_without_files(template).body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value
        for name in _assigned(node)
    }

    def reads(expression: ast.expr, seen: frozenset[str] = frozenset()) -> set[str]:
        found = set()
        for node in ast.walk(expression):
            if isinstance(node, ast.Constant) and node.value in known:
                found.add(node.value)
            elif isinstance(node, ast.Name) and node.id in values and node.id not in seen:
                found |= reads(values[node.id], seen | {node.id})
        return found

    table = values["HOLDS"]
    assert isinstance(table, ast.Dict)
    return {
        str(word.value): reads(condition)
        for word, condition in zip(table.keys, table.values, strict=True)
        if isinstance(word, ast.Constant)
    }


def _is_answers(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "cookiecutter"


def read_tree(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """Read a folder: every file's bytes by its path, and the folders that hold nothing."""
    files, empty = {}, []
    for root, folders, names in os.walk(folder):
        inside = Path(root).relative_to(folder)
        files.update({(inside / name).as_posix(): Path(root, name).read_bytes() for name in names})
        if not folders and not names:
            empty.append(inside.as_posix())
    return files, empty


def command_line(answers: Mapping[str, Any]) -> list[str]:
    """Return the `cookiecutter` command that bakes this template with `answers`."""
    given = [f"{name}={value}" for name, value in answers.items()]
    options = ["--no-input", "--default-config"]
    return [sys.executable, "-m", "cookiecutter", *options, str(TEMPLATE), *given]
