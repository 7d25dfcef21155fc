"""Wrong answers are refused before anything is written, right ones end with what to do next."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import taken_names
from bakery import TEMPLATE, Answers, bake, command_line, context, environment, questions
from checks.commands import cli_commands, command_lines
from checks.dependencies import unknown_groups
from checks.tree import Tree
from forest import Forest
from pytest_cookies.plugin import Cookies

HOOKS = sorted((TEMPLATE / "hooks").glob("*.py"))

# A hook that talked to the network, or to git, would surprise whoever bakes
CLIENTS = {"asyncio", "ftplib", "http", "smtplib", "socket", "ssl", "subprocess", "urllib"}

WRONG_SLUGS = {
    "keyword": "class",
    "soft keyword": "match",
    "leading digit": "3d_net",
    "leading underscore": "_net",
    "upper case": "MyNet",
    "hyphen": "my-net",
    "space": "my net",
    "dot": "my.net",
    "not ASCII": "nët",
    "digit that is not ASCII": "net\u0663",
    "standard library": "json",
    "dependency": "torch",
    "dependency of a tracker": "wandb",
    "folder": "configs",
    "trailing underscore": "net_",
    "command of an environment": "python",
    "device of Windows": "com1",
    "Python's own tests": "test",
    "dependency of a dependency": "sympy",
    "dependency, with two underscores": "pydantic__core",
    "module of a dependency, in lower case": "pil",
    "module of a dependency of a dependency": "yaml",
    "command of a dependency": "st",
    "empty": "",
    "too long": "a" * 33,
    "parent folder": "../outside",
    "parent folder alone": "..",
    "this folder": ".",
    "folder in a folder": "a/b",
    "absolute": "/mlbake_outside",
    "home": "~/outside",
    "backslash": "a\\b",
    "newline": "my_net\n",
    "newline inside": "my\nnet",
    "tab": "my\tnet",
    "control character": "my\x07net",
    "escape sequence": "\x1b[31mnet",
    "right to left": "net\u202egpj",
    "option": "--help",
    "quote": 'net"',
}
WRONG_ANSWERS = {
    "email without @": ("author_email", "ada.example.com"),
    "email without domain": ("author_email", "ada@"),
    "email without dot": ("author_email", "ada@example"),
    "email with two @": ("author_email", "a@b@example.com"),
    "email with a space": ("author_email", "ada lovelace@example.com"),
    "email with a quote": ("author_email", 'ada"@example.com'),
    "email with a newline": ("author_email", "ada@example.com\n"),
    "email with a name": ("author_email", "Ada <ada@example.com>"),
    "empty email": ("author_email", ""),
    "empty name": ("project_name", ""),
    "blank name": ("project_name", "   "),
    "empty author": ("author_name", ""),
    "empty description": ("description", ""),
    "name with a newline": ("project_name", "One\nTwo"),
    "description with a newline": ("description", "One\nTwo"),
    "description with a carriage return": ("description", "One\rTwo"),
    "description with a line separator": ("description", "One\u2028Two"),
    "description with a form feed": ("description", "One\x0cTwo"),
    "author with an escape sequence": ("author_name", "\x1b]0;Ada\x07"),
    "author with a bidirectional control": ("author_name", "Ada\u202ecipoh"),
    "author with an isolate": ("author_name", "Ada\u2066x\u2069"),
    "name with a zero-width space": ("project_name", "Di\u200bgits"),
    "name with a byte order mark": ("project_name", "\ufeffDigits"),
    "C1 control": ("description", "One\x85Two"),
    "DEL": ("description", "One\x7fTwo"),
    "empty owner": ("repo_owner", ""),
    "owner with a space": ("repo_owner", "ada lab"),
    "owner that climbs": ("repo_owner", "../ada"),
    "owner with a newline": ("repo_owner", "ada\n"),
}


def everything(folder: Path) -> list[str]:
    """List all that lies in a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def refusals(text: str) -> list[str]:
    """Return the lines that the hook wrote."""
    return [line for line in text.splitlines() if line.startswith("mlbake:")]


def is_a_refusal(line: str, name: str) -> bool:
    """Say whether a line names the answer, gives a reason and shows a good answer."""
    start, _, example = line.partition("; a good one: ")
    return start.startswith(f"mlbake: {name} ") and len(start.split()) >= 4 and bool(example)


def _refuses(
    cookies: Cookies,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    answers: Answers,
    wrong: list[str],
) -> None:
    outside = tmp_path / "outside"
    before = everything(tmp_path)
    result = cookies.bake(extra_context=answers)
    lines = refusals(capfd.readouterr().err)

    assert result.exit_code != 0
    assert result.exception is not None
    assert len(lines) == len(wrong)
    for line, name in zip(sorted(lines), sorted(wrong), strict=True):
        assert is_a_refusal(line, name), line
        assert line.isprintable()
    # An empty folder that pytest-cookies made to bake into, and the hooks as cookiecutter ran them
    left = {
        name
        for name in set(everything(tmp_path)) - set(before)
        if not name.startswith("hooks") and not (tmp_path / name).match("cookies/bake*")
    }
    assert not left
    assert not outside.exists()
    assert not Path("/mlbake_outside").exists()


@pytest.mark.parametrize("slug", WRONG_SLUGS.values(), ids=WRONG_SLUGS)
def test_a_slug_that_is_no_package_name_is_refused(
    cookies: Cookies, tmp_path: Path, capfd: pytest.CaptureFixture[str], slug: str
) -> None:
    _refuses(cookies, tmp_path, capfd, {"project_slug": slug}, ["project_slug"])


@pytest.mark.parametrize(("name", "answer"), WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_a_wrong_answer_is_refused(
    cookies: Cookies, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, answer: str
) -> None:
    # A given slug, or a wrong name would be refused for the slug that is made of it too
    answers = {"project_slug": "quartz_reader", name: answer}
    _refuses(cookies, tmp_path, capfd, answers, [name])


def test_each_of_several_wrong_answers_gets_its_line(
    cookies: Cookies, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = {
        "project_slug": "../x",
        "author_email": "nobody",
        "author_name": "\n",
        "repo_owner": "",
    }
    _refuses(cookies, tmp_path, capfd, answers, list(answers))


def test_a_name_without_latin_letters_asks_for_a_slug(
    cookies: Cookies, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The slug that is made of such a name is no package name, and the refusal says so."""
    _refuses(cookies, tmp_path, capfd, {"project_name": "!!!"}, ["project_slug"])


@pytest.mark.parametrize(
    "slug", ["a", "x9", "a" * 32, "digit_reader", "con2d", "torch_net", "jsonl", "my__net"]
)
def test_a_good_slug_is_taken(cookies: Cookies, slug: str) -> None:
    result = cookies.bake(extra_context={"project_slug": slug})
    assert result.exit_code == 0
    assert result.project_path.name == slug


@pytest.mark.parametrize(
    "email", ["a@b.co", "ada.lovelace+ml@mail.example.co.uk", "o'brien@example.org", "x_y@e-x.com"]
)
def test_a_good_email_is_taken(cookies: Cookies, email: str) -> None:
    result = cookies.bake(extra_context={"author_email": email})
    assert result.exit_code == 0
    assert email in (result.project_path / "pyproject.toml").read_text(encoding="utf-8")


def test_a_name_of_another_script_is_taken_with_a_slug(cookies: Cookies) -> None:
    names = {
        "project_name": "手書き数字",
        "author_name": "Ада Лавлейс",
        "description": "קורא ספרות",
    }
    result = cookies.bake(extra_context={**names, "project_slug": "digits"})
    assert result.exit_code == 0
    assert "# 手書き数字" in (result.project_path / "README.md").read_text(encoding="utf-8")


# The command line itself ------------------------------------------------------------------------


def _command(tmp_path: Path, answers: Answers) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path / "out"
    folder.mkdir()
    environment = {**os.environ, "HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "hooks")}
    (tmp_path / "home").mkdir()
    return folder, subprocess.run(
        [*command_line(answers), "--output-dir", str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("slug", ["../outside", "/mlbake_outside", "", "my-net"])
def test_the_command_line_refuses_and_leaves_nothing(tmp_path: Path, slug: str) -> None:
    folder, run = _command(tmp_path, {"project_slug": slug, "author_email": "nobody"})

    assert run.returncode != 0
    wrong = [line.split()[1] for line in refusals(run.stderr)]
    assert wrong == ["project_slug", "author_email"]
    assert everything(folder) == []
    assert not (tmp_path / "outside").exists()
    assert not Path("/mlbake_outside").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the engine's command line")
def test_an_answer_to_no_question_is_refused(tmp_path: Path) -> None:
    folder, run = _command(tmp_path, {"traker": "mlflow", "colour": "red"})
    assert run.returncode != 0
    near, far = refusals(run.stderr)
    assert is_a_refusal(near, "traker")
    assert near.endswith("tracker=mlflow")
    assert is_a_refusal(far, "colour")
    assert everything(folder) == []


def test_what_was_chosen_is_printed(tmp_path: Path) -> None:
    """Where a misspelt question can't be noticed, the user can see that its answer is missing."""
    answers = {"tracker": "comet", "docker": "no", "ci": "none", "project_slug": "quartz_reader"}
    _, run = _command(tmp_path, answers)
    assert "Baked quartz_reader (image, MIT, uv, comet, ONNX, fastapi). Next:" in run.stdout


def test_a_refused_bake_leaves_an_older_project_alone(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    bake({"project_slug": "quartz_reader"}, folder)
    (folder / "rejected_answer").mkdir()
    (folder / "rejected_answer" / "mine.txt").write_text("mine")
    before = everything(folder)
    for slug in ("quartz_reader", "../out", "MyNet"):
        run = subprocess.run(
            [*command_line({"project_slug": slug, "author_email": "no"}), "-o", str(folder)],
            env={**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path / "hooks")},
            capture_output=True,
            check=False,
        )
        assert run.returncode != 0
    assert everything(folder) == before


@pytest.mark.parametrize("environment", questions()["environment"])
def test_the_next_commands_are_those_of_the_environment(tmp_path: Path, environment: str) -> None:
    answers = {"environment": environment, "project_slug": "quartz_reader"}
    folder, run = _command(tmp_path, answers)

    assert run.returncode == 0, run.stderr
    tree = Tree.read(folder / "quartz_reader", printed=run.stdout)
    lines = [line.strip() for line in run.stdout.splitlines() if line.startswith("  ")]
    assert lines[0] == "cd quartz_reader"
    assert (environment == "conda") == any(line.startswith("conda ") for line in lines)
    assert (environment == "uv") == any(line.startswith("uv ") for line in lines)
    called = [name for name, _ in command_lines(run.stdout, "quartz_reader")]
    assert called
    assert set(called) <= set(cli_commands(tree.texts["src/quartz_reader/cli.py"]))
    assert not unknown_groups(Forest.of(tree))
    # Nobody should have to translate them: the README starts with the same commands
    readme = tree.texts["README.md"].splitlines()
    assert [line for line in lines[1:] if line not in readme] == []
    # A repository inside another makes updates fail without a word
    assert not (folder / "quartz_reader" / ".git").exists()


# The hooks as programs --------------------------------------------------------------------------


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.stem)
def test_a_hook_is_self_contained(hook: Path) -> None:
    source = hook.read_text(encoding="utf-8")
    # Any Python that runs cookiecutter has to be able to read it
    tree = ast.parse(source, feature_version=(3, 10))
    modules = _imported(tree)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}

    assert modules <= set(sys.stdlib_module_names)
    assert not modules & CLIENTS
    assert not names & {"exec", "eval", "__import__"}


def _imported(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.partition(".")[0])
    return found


def not_refused(names: set[str]) -> list[str]:
    """List the names that the hook would take as a slug."""
    source = (TEMPLATE / "hooks" / "pre_gen_project.py").read_text("utf-8")
    hook: dict[str, Any] = {}
    answers = context({"project_slug": "quartz_reader"})
    exec(environment().from_string(source).render(**answers), hook)  # noqa: S102
    return sorted(name for name in names if not hook["slug_problem"](name))


def test_no_project_takes_a_name_of_a_package_that_it_asks_for() -> None:
    """These names change with the template, and hardly ever with a new release."""
    names = taken_names.direct_names()
    assert {"pil", "dvc", "pytorch_lightning", "sklearn", "st"} <= names
    assert not not_refused(names), f"`{sys.executable} tests/taken_names.py` adds them to the hook"


@pytest.mark.slow
def test_no_project_takes_a_name_of_any_package_that_it_installs() -> None:
    """What these packages need in turn changes with their releases."""
    names = taken_names.all_names()
    # A dependency of a dependency, one of an extra, one of another platform
    assert {"sympy", "azure", "pywin32"} <= names
    assert not not_refused(names), f"`{sys.executable} tests/taken_names.py` adds them to the hook"


def test_the_list_of_names_is_laid_out_as_its_script_does() -> None:
    text = taken_names.listed_text()
    assert text == taken_names.wrapped(taken_names.listed_names())
