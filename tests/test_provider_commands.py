"""Every command line of a cloud provider that any combination names: command and options exist.

They are collected from pages, pipelines, scripts and from the plans of the `cloud` commands. The
provider's own parser reads them; no login is needed, and nothing is sent.
"""

import functools
import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from bakery import bake, product, questions
from checks.texts import read_yaml
from machine import plain_environment
from tools import QUIET, missing_terraform, run

PROGRAMS = ("aws", "az", "gcloud", "terraform")
TOGGLES = ("serving", "docker", "ci", "cloud")
SETTINGS = {
    "AWS_ACCOUNT_ID": "123456789012",
    "AWS_REGION": "eu-west-1",
    "AZURE_LOCATION": "westeurope",
    "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000000",
    "GOOGLE_CLOUD_PROJECT": "project",
    "GOOGLE_CLOUD_REGION": "europe-west4",
}
# Prints the commands of each `cloud` command
SHOW = """
import contextlib, importlib, importlib.util, inspect, json, pathlib, sys
cloud = f"{sys.argv[1]}.cloud"
asked = []
shell = importlib.import_module(f"{cloud}.shell")
# A file of an argument is gone before a parser reads it
shell.printed = lambda words: asked.append([w.partition("fileb:")[0] for w in words]) or ""
train = importlib.import_module(f"{cloud}.job").train_commands
commands = [one for gpu in (False, True) for one in train(["model=mlp"], gpu=gpu)]
commands += importlib.import_module(f"{cloud}.download").download_commands("job", pathlib.Path("a"))
if importlib.util.find_spec(f"{cloud}.deployment"):
    deploy = importlib.import_module(f"{cloud}.deployment").deploy_commands
    parameters = inspect.signature(deploy).parameters
    for image in ("", "image@sha256:0") if "image" in parameters else ():
        commands += deploy(image, **({"push_only": False} if "push_only" in parameters else {}))
    if "push_only" in parameters:
        commands += deploy("", push_only=True)
    if not parameters:
        commands += deploy()
    rollback = importlib.import_module(f"{cloud}.rollback")
    name = getattr(importlib.import_module(f"{cloud}.provider"), "NAME", "")
    former = f"{name}-00001-abc" if sys.argv[2] == "gcp" else "sha256:" + 64 * "0"
    commands += [*rollback.rollback_commands(""), *rollback.rollback_commands(former)]
    rollback.return_commands()
    ask = importlib.import_module(f"{cloud}.service").connect()
    if sys.argv[2] == "aws":
        with contextlib.suppress(FileNotFoundError):  # the answer
            ask("/predict", b"{}")
LOGIN = importlib.import_module(f"{cloud}.provider").LOGIN
login = [LOGIN.check, LOGIN.remedy.split()]
words = [list(words) for one in commands for words in (one.words, one.fed_by)]
print(json.dumps([*words, *asked, *login]))
"""
START = re.compile(rf"(?:^|[|;&(`]|\$\()\s*({'|'.join(PROGRAMS)})(?= )")


def command_lines(line: str) -> list[tuple[str, ...]]:
    """Split a shell's line into the providers' commands in it, each in words."""
    found = []
    for match in START.finditer(line):
        lexer = shlex.shlex(line[match.start(1) :], posix=True, punctuation_chars="|;&<>()`")
        lexer.whitespace_split = True
        words = []
        try:
            for word in lexer:
                if set(word) <= set("|;&<>()`"):
                    break
                words.append(word)
        except ValueError:  # a quote that another line closes
            words = line[match.start(1) :].split()
        found.append(tuple(words))
    return found


def shell_lines(path: str, text: str) -> list[str]:
    """Return the lines of a file that a shell would run."""
    if path.endswith(".md"):
        fenced = re.findall(
            r"^```(?:bash|shell|sh|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL
        )
        prose = re.sub(r"(?ms)^```.*?^```", "", text)
        chunks = [*fenced, *re.findall(r"`([^`\n]+ [^`\n]+)`", prose)]
    elif path.endswith((".yml", ".yaml")):
        chunks = list(_strings(read_yaml(text)))
    else:
        chunks = [text]
    return [line for chunk in chunks for line in chunk.replace("\\\n", " ").splitlines()]


def _strings(node: object) -> Iterable[str]:
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from _strings(one)
    elif isinstance(node, str):
        yield node


def planned(folder: Path, cloud: str) -> list[list[str]]:
    """Return the words of each command that a project's `cloud` commands would run."""
    environment = plain_environment(**SETTINGS, PYTHONPATH=str(folder / "src"))
    done = subprocess.run(
        [sys.executable, "-c", SHOW, folder.name, cloud],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@functools.cache
def commands() -> dict[str, dict[tuple[str, ...], str]]:
    """Map each program to its distinct command lines, and these to the first file with them."""
    found: dict[str, dict[tuple[str, ...], str]] = {program: {} for program in PROGRAMS}
    toggles = {name: values for name, values in questions().items() if name in TOGGLES}
    texts: set[object] = set()
    with tempfile.TemporaryDirectory() as scratch:
        for number, answers in enumerate(product(toggles)):
            if answers["cloud"] == "none":
                continue
            folder = bake({**answers, "tracker": "none"}, Path(scratch, str(number))).path
            modules = sorted((folder / "src" / folder.name / "cloud").glob("*.py"))
            rows: list[tuple[str, tuple[str, ...]]] = []
            for file in folder.rglob("*"):
                name = file.relative_to(folder).as_posix()
                if file.is_file() and file.suffix in {".md", ".yml", ".yaml", ".sh"}:
                    text = file.read_text("utf-8")
                    if (name, text) not in texts:
                        texts.add((name, text))
                        lines = shell_lines(name, text)
                        rows += [(name, one) for line in lines for one in command_lines(line)]
            code = "".join(module.read_text("utf-8") for module in modules)
            if code not in texts:
                texts.add(code)
                rows += [("cloud/", tuple(words)) for words in planned(folder, answers["cloud"])]
            for name, words in rows:
                if words and words[0] in found:
                    found[words[0]].setdefault(words, name)
    return found


def report(problems: dict[tuple[str, ...], str], program: str) -> None:
    lines = [
        f"{commands()[program][words]}: {shlex.join(words)}\n  {problem}"
        for words, problem in problems.items()
    ]
    assert not lines, "\n".join(["", *lines])


def test_there_are_commands_of_every_program() -> None:
    assert [program for program, lines in commands().items() if not lines] == []


# Version 2 alone has them, and PyPI has version 1
AWS_2 = {
    ("configure", "export-credentials"),
    ("configure", "sso"),
    ("logs", "tail"),
    ("sso", "login"),
}
AWS = ["uv", "tool", "run", "--from", "awscli>=1.45,<2", "python", "-c"]
# A parser that objects ends with 2; a command that it accepts fails at the closed port
READ_AWS = """
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver
found = []
for words in json.load(sys.stdin):
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            code = create_clidriver().main(words)
        except SystemExit as stop:
            code = stop.code
    text = said.getvalue()
    found.append(text if code in (2, 252) or "arameter" in text else "")
print(json.dumps(found))
"""


def aws_problems(lines: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Let the AWS CLI parse command lines; return those that it objects to, and why."""
    lines = [words for words in lines if words[1:3] not in AWS_2]
    # A variable stands for a valid value, whatever that is
    texts = [[re.sub(r"\$\{?\w+\}?", "1", word) for word in words[1:]] for words in lines]
    environment = plain_environment() | {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }
    done = subprocess.run(
        [*AWS, READ_AWS],
        input=json.dumps(texts),
        env=environment,
        capture_output=True,
        check=False,
        text=True,
    )
    if "No solution found" in done.stderr or "Failed to fetch" in done.stderr:
        pytest.skip("awscli can't be installed")
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    return {words: text for words, text in zip(lines, answers, strict=True) if text}


@pytest.mark.skipif(not shutil.which("uv"), reason="there is no uv command to run awscli with")
def test_aws_commands_exist() -> None:
    planted = [("aws", "ecr", "get-login-passwort"), ("aws", "s3", "cp", "a", "--regio", "b")]
    problems = aws_problems([*commands()["aws"], *planted])
    assert all(problems.pop(words, "") for words in planted)
    report(problems, "aws")


@functools.cache
def gcloud_tree() -> dict:
    """Read the tree of commands and options that gcloud completes words with."""
    program = shutil.which("gcloud")
    for place in Path(program).resolve().parents if program else ():
        file = place / "data" / "cli" / "gcloud_completions.py"
        if file.is_file():
            return runpy.run_path(str(file))["STATIC_COMPLETION_CLI_TREE"]
    return {}


def gcloud_problem(words: tuple[str, ...]) -> str:
    """Look a command up in the tree; say what is not there."""
    node, options = gcloud_tree(), set(gcloud_tree()["flags"])
    for word in words[1:]:
        if word.startswith("--"):
            name = word.partition("=")[0]
            if name not in options and name.replace("--no-", "--") not in options:
                return f"there is no option {name}"
        elif word in node["commands"]:
            node = node["commands"][word]
            options |= set(node["flags"])
        elif node["commands"]:
            return f"there is no command {word}"
    return "it names a group of commands" if node["commands"] else ""


def test_gcloud_commands_exist() -> None:
    if not gcloud_tree():
        pytest.skip("there is no gcloud command with its data")
    assert gcloud_problem(("gcloud", "run", "services", "updat", "a"))
    assert gcloud_problem(("gcloud", "run", "services", "update", "a", "--regions=b"))
    problems = {
        words: problem for words in commands()["gcloud"] if (problem := gcloud_problem(words))
    }
    report(problems, "gcloud")


@functools.cache
def terraform_options(subcommand: str) -> str:
    return run("terraform", *subcommand.split(), "-help", folder=None, **QUIET).stdout


def terraform_problem(words: tuple[str, ...]) -> str:
    """Look a command up in Terraform's help; say what is not there."""
    rest = [word for word in words[1:] if not word.startswith("-chdir=")]
    subcommand = rest[0] if rest else ""
    if not re.search(rf"^  {subcommand} ", terraform_options(""), re.MULTILINE):
        return f"there is no command {subcommand}"
    for word in rest[1:]:
        name = word.partition("=")[0]
        # `plan` explains what `apply` and `destroy` take too
        known = terraform_options(subcommand) + terraform_options("plan")
        if word.startswith("-") and not re.search(rf"^  {name}\b", known, re.MULTILINE):
            return f"there is no option {name}"
    return ""


@pytest.mark.skipif(bool(missing_terraform()), reason=missing_terraform())
def test_terraform_commands_exist() -> None:
    assert terraform_problem(("terraform", "aply"))
    assert terraform_problem(("terraform", "apply", "-vars=a"))
    lines = commands()["terraform"]
    report(
        {words: problem for words in lines if (problem := terraform_problem(words))}, "terraform"
    )


AZ = ["uv", "tool", "run", "--from", "azure-cli>=2.80", "az"]
# They come with extensions, which Microsoft's own index has
AZ_EXTENSIONS = {"ml"}


@functools.cache
def az_help(command: str) -> str:
    done = run(*AZ, *command.split(), "--help", AZURE_CORE_COLLECT_TELEMETRY="false")
    return "" if done.returncode else done.stdout


def az_problem(words: tuple[str, ...]) -> str:
    """Look a command up in the help of the Azure CLI; say what is not there."""
    first = next((n for n, word in enumerate(words) if word.startswith("-")), len(words))
    command = " ".join(words[1:first])
    if not (text := az_help(command)):
        return f"there is no command {command}"
    if re.search(r"^(Subgroups|Commands):", text, re.MULTILINE):
        return "it names a group of commands"
    known = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", text))
    names = [word.partition("=")[0] for word in words[first:] if word.startswith("-")]
    return ", ".join(f"there is no option {name}" for name in names if name not in known)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("uv"), reason="there is no uv command to run azure-cli with")
def test_azure_commands_exist() -> None:
    if not az_help("account"):
        pytest.skip("azure-cli can't be installed")
    assert az_problem(("az", "acr", "logon"))
    assert az_problem(("az", "acr", "login", "--nam", "a"))
    lines = [words for words in commands()["az"] if words[1] not in AZ_EXTENSIONS]
    report({words: problem for words in lines if (problem := az_problem(words))}, "az")
