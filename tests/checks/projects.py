"""Checks of one whole project: what its files say about each other must be true."""

import ast
import atexit
import functools
import importlib
import inspect
import json
import posixpath
import re
import shlex
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from checks.clouds import unknown_environments, unknown_to_terraform, unset_variables
from checks.pipelines import unknown_parts
from checks.syntax import eager_imports, imported_names, module_files, syntax
from checks.texts import cells, check_text, read_yaml, unparsable
from checks.tree import Tree
from checks.wings import busy_packages, wrong_direction

# Made by commands, so named but not baked. Each is precise: `data/batches.py` is no output.
OUTPUTS = re.compile(
    r"data|data/(raw|processed)(/.*)?|models|models/[\w.-]+\.(ckpt|onnx|csv)"
    r"|reports|reports/[\w-]+\.(csv|html|json|md|png|xml)|outputs(/.*)?|(site|htmlcov|dist)(/.*)?"
    r"|\.(venv|env|netrc|git|cache|mypy_cache|ruff_cache|pytest_cache|ipynb_checkpoints)(/.*)?"
    r"|data\.md|comparison\.md|infra/\w+/terraform\.tf(vars|state)"
    r"|uv\.lock|dvc\.lock|\.dvc/(tmp|cache|config\.local)(/.*)?"
)
NAMED_FILE = re.compile(r"[\w.-]*\w\.(py|ya?ml|toml|md|ipynb|lock|cfg|ini|sh|tf|dockerfile)")
TOKEN = re.compile(r"(?<![\w@:/$}{<>*~+-])(?:\.{1,2}/)*[\w.-]+(?:/[\w.*<>{}$-]+)*/?(?![\w({])")
URL = re.compile(r"\b[\w+]+://[^\s)>\"'`]+")
GROUP = r"--(?:only-|no-)?group[ =]([\w-]+)"
EXTRA = r"(?:--extra[ =]|(?<![\w\]])\.\[)([\w-]+)"
IGNORE_FILES = (".gitignore", ".gcloudignore", ".dvcignore", ".dockerignore", ".gitattributes")

# Import names that differ from the name of the distribution
DISTRIBUTIONS = {
    "PIL": "pillow",
    "comet_ml": "comet-ml",
    "dotenv": "python-dotenv",
    "hydra": "hydra-core",
    "lightning_fabric": "pytorch-lightning",
    "pydantic_core": "pydantic",
    "pytorch_lightning": "pytorch-lightning",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
# What has to run where nothing but one dependency group is installed: modules, by their place in
# the package
ALONE = {
    "inference": ("inference/onnx_model.py", "inference/predictor.py"),
    "lambda": ("serving/aws_lambda.py",),
    "serve": ("serving/api.py", "serving/function.py", "serving/service.py"),
}
# What shows that a distribution is used that is neither imported nor named by a file or a setting
EVIDENCE = {
    "dependency-groups": r"\"dependency-groups\"",
    "functions-framework": r"\"functions_framework\"",
    "httptools": r"import uvicorn",
    "python-multipart": r"UploadFile",
    "schemathesis": r"schemathesis\.cli",
    "uvloop": r"import uvicorn",
    "onnxscript": r"torch\.onnx|onnx\.export",
    "ipykernel": r"\"kernelspec\"",
    "jupyterlab": r"\"kernelspec\"",
    "mkdocstrings-python": r"mkdocstrings",
    "pytest-cov": r"--cov\b|\[tool\.coverage",
    "pytest-xdist": r"\s-n[ =]|-nauto",
}
# The words that betray a choice, whichever question it belongs to. Only test data: a choice
# without a line here is looked for by its own name.
WORDS = {
    "wandb": r"wandb|weights\s*(&|&amp;|and)\s*biases",
    "comet": r"comet(_?ml)?",
    "tensorboard": r"tensorboardx?",
    "conda": r"(mini|ana)?conda(-forge)?|miniforge|mamba",
    "uv": r"uv",
    "MIT": r"mit license",
    "BSD-3-Clause": r"bsd[ -]3-clause",
    "Apache-2.0": r"apache license|apache-2\.0",
    "Proprietary": r"all rights reserved",
    "github": r"github actions|\.github",
    "gitlab": r"gitlab(-ci)?",
    "gcp": r"gcp|google cloud|gcloud|gs://",
    "aws": r"aws|s3://|amazon|lambda function",
    "azure": r"azure",
    "docker": r"docker(file)?",
    "onnx_export": r"onnx(runtime)?",
}
# Where a word is no trace: images and training machines use uv, whatever is used beside them
AT_HOME = {"uv": ("dockerfiles/", "infra/", "tests/cloud/test_provider.py")}
# Answers whose words may occur although something else was chosen
SHARED_WORDS = {
    "python_version",  # 3.13 is supported whichever is the oldest
}


def _unique(problems: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(problems))


# The file set ----------------------------------------------------------------------------------


def files(tree: Tree, wanted: Set[str]) -> list[str]:
    """Compare the tree to the paths that the marks in the template leave."""
    found = [f"{path}: should not be there" for path in sorted(tree.files.keys() - wanted)]
    found += [f"{path}: is missing" for path in sorted(wanted - tree.files.keys())]
    found += [f"{path}: is an empty folder" for path in tree.empty]
    for path in sorted(tree.files):
        if "__pycache__" in path or path.endswith((".pyc", ".DS_Store", ".orig", ".rej", "~")):
            found.append(f"{path}: is rubbish")
    return found


# Paths -----------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=5000)
def _tokens(path: str, text: str) -> tuple[tuple[int, str], ...]:
    """Return the words of a text that may be paths, each with its line."""
    if path.endswith(".py"):
        chunks = [
            (node.lineno, node.value)
            for node in ast.walk(_without_fstrings(text))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        chunks += [
            (number, line.partition("# ")[2])
            for number, line in enumerate(text.splitlines(), 1)
            if "# " in line
        ]
    else:
        chunks = [(1, text)]
    return tuple(
        (first + offset, match.group().rstrip(".,"))
        for first, chunk in chunks
        for offset, line in enumerate(chunk.splitlines())
        for match in TOKEN.finditer(URL.sub(" ", line.replace("uses: $/", "uses: ./")))
    )


def _without_fstrings(text: str) -> ast.AST:
    class Drop(ast.NodeTransformer):
        def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
            return ast.copy_location(ast.Constant(0), node)

    return Drop().visit(syntax(text))


@functools.lru_cache(maxsize=2000)
def _links(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", re.sub(r"(?ms)^```.*?^```", "", text)))


def dangling_paths(tree: Tree) -> list[str]:
    """Find the names of files and folders that are not in the project and no command makes."""
    names = {path.rpartition("/")[2] for path in tree.files}
    tops = {path.partition("/")[0] for path in {*tree.files, *tree.possible} if "/" in path}
    pruned_names = {path.rpartition("/")[2] for path in tree.possible} - names
    found = []
    for path, text in tree.texts.items():
        if path.endswith(IGNORE_FILES):
            continue
        folder = posixpath.dirname(path)
        for line, token in _tokens(path, text):
            if not ("/" in token or token in pruned_names or NAMED_FILE.fullmatch(token)):
                continue
            if not _exists(tree, folder, token, names, tops, pruned_names):
                found.append(f"{path}:{line}: names {token}, which is not there")
        if path.endswith(".md"):
            for link in _links(text):
                target = posixpath.normpath(posixpath.join(folder, link))
                if target not in tree.files and target not in tree.folders:
                    found.append(f"{path}: links to {link}, which is not there")
    return _unique(found)


def _exists(
    tree: Tree, folder: str, token: str, names: set[str], tops: set[str], pruned: set[str]
) -> bool:
    # Up to the first part that stands for several names, or for a name to fill in
    literal = re.split(r"/[^/]*[*<{$]", token)[0].rstrip("/")
    inside = posixpath.normpath(posixpath.join(folder, literal))
    for candidate in (posixpath.normpath(literal), inside):
        known = candidate in tree.files or candidate in tree.folders
        if known or candidate == "." or OUTPUTS.fullmatch(candidate):
            return True
    if "/" not in literal:
        return literal in names or not (literal in pruned or NAMED_FILE.fullmatch(literal))
    if any(path.endswith(f"/{literal}") for path in tree.files):
        return True
    first, _, _ = literal.partition("/")
    return not (first in tops or literal in tree.possible or NAMED_FILE.search(literal))


# Commands --------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=200)
def cli_commands(text: str) -> dict[str, tuple[str, ...] | None]:
    """Read the commands of a Typer module, each with its options, or None if it takes any.

    A command of a group is named with it: `cloud train`.
    """
    found: dict[str, tuple[str, ...] | None] = {}
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


@functools.lru_cache(maxsize=5000)
def command_lines(text: str, slug: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return what follows each call of the project's command: the command and its arguments."""
    pattern = rf"(?<![\w./\[-])(?<!cd )(?<!from )(?<!import )(?<!activate ){slug} ([a-z][\w-]*)"
    found = []
    for match in re.finditer(pattern, text):
        rest = re.split(r"[\n`|;]|&&|\"\s*[,\]]|\\n| {2,}| # ", text[match.end() :], maxsplit=1)[0]
        try:
            arguments = shlex.split(rest)
        except ValueError:
            arguments = rest.split()
        if not text[match.end() : match.end() + 1].isspace():
            arguments = []
        found.append((match.group(1), tuple(arguments)))
    if f'"module": "{slug}"' in text:  # an editor's launch.json
        for entry in json.loads(text)["configurations"]:
            if entry.get("module") == slug:
                name, *arguments = entry.get("args", ["--help"])
                found.append((name, tuple(arguments)))
    return tuple(found)


def _everything_said(tree: Tree) -> Iterator[tuple[str, str]]:
    yield from tree.texts.items()
    if tree.printed:
        yield "hook output", tree.printed


def unknown_commands(tree: Tree) -> list[str]:
    """Find calls of commands, options and modules that the project does not have."""
    commands = cli_commands(tree.texts.get(f"src/{tree.slug}/cli.py", ""))
    found = []
    for path, text in _everything_said(tree):
        for name, arguments in command_lines(text, tree.slug):
            if any(one.startswith(f"{name} ") for one in commands) and arguments:
                name, arguments = f"{name} {arguments[0]}", arguments[1:]
            if name not in commands:
                found.append(f"{path}: calls {tree.slug} {name}, which is no command")
                continue
            options = commands[name]
            found += [
                f"{path}: calls {tree.slug} {name} {argument}, which is no option"
                for argument in arguments
                if options is not None
                and argument.startswith("-")
                and argument.partition("=")[0] not in options
            ]
        for module in re.findall(rf"-m[ \"',]+({tree.slug}[\w.]*)", text):
            where = f"src/{module.replace('.', '/')}"
            main = f"{where}/__main__.py" in tree.files
            # What does not even exist is for `broken_references` to find
            if not main and "__main__" not in tree.texts.get(f"{where}.py", "__main__"):
                found.append(f"{path}: calls python -m {module}, which can't be run")
    return _unique(found)


# Dependencies ----------------------------------------------------------------------------------


def _canonical(requirement: str) -> str:
    name = re.match(r"[\w.-]*", requirement.strip())
    return re.sub(r"[-_.]+", "-", name.group() if name else "").lower()


@functools.lru_cache(maxsize=1000)
def _pyproject(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def _settings(tree: Tree) -> dict[str, Any]:
    return _pyproject(tree.texts.get("pyproject.toml", ""))


def _declared(settings: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """Return what the package itself needs (extras too), and what the groups add."""
    project = settings.get("project", {})
    extras = project.get("optional-dependencies", {}).values()
    own = [*project.get("dependencies", []), *(row for extra in extras for row in extra)]
    groups = settings.get("dependency-groups", {}).values()
    more = [row for group in groups for row in group if isinstance(row, str)]
    return {_canonical(row) for row in own}, {_canonical(row) for row in more}


def _members_of(settings: Mapping[str, Any], group: str) -> set[str]:
    """Return a group's distributions, those of the groups that it includes too."""
    groups = settings.get("dependency-groups", {})
    found = set()
    for row in groups.get(group, []):
        found |= (
            {_canonical(row)}
            if isinstance(row, str)
            else _members_of(settings, row["include-group"])
        )
    return found


def unknown_groups(tree: Tree) -> list[str]:
    """Find dependency groups and extras that pyproject.toml does not have."""
    settings = _settings(tree)
    groups = settings.get("dependency-groups", {})
    extras = settings.get("project", {}).get("optional-dependencies", {})
    found = [
        f"pyproject.toml: group {name} includes {row['include-group']}, which is no group"
        for name, rows in groups.items()
        for row in rows
        if isinstance(row, dict) and row["include-group"] not in groups
    ]
    for path, text in _everything_said(tree):
        found += [
            f"{path}: names the {kind} {name}, which does not exist"
            for kind, known, pattern in (("group", groups, GROUP), ("extra", extras, EXTRA))
            for name in re.findall(pattern, text)
            if name not in known
        ]
    default = settings.get("tool", {}).get("uv", {}).get("default-groups", [])
    if isinstance(default, list):
        found += [
            f"pyproject.toml: default group {name} does not exist"
            for name in default
            if name not in groups
        ]
    return _unique(found)


@functools.lru_cache(maxsize=5000)
def _imports(path: str, text: str) -> frozenset[str]:
    sources = cells(text) if path.endswith(".ipynb") else [text]
    found = set()
    for source in sources:
        for node in ast.walk(syntax(source)):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module.partition(".")[0])
            elif (
                isinstance(node, ast.Call)
                and getattr(node.func, "attr", "") == "importorskip"
                and isinstance(node.args[0], ast.Constant)
            ):
                found.add(str(node.args[0].value).partition(".")[0])
    return frozenset(found)


def _distribution(module: str) -> str:
    return DISTRIBUTIONS.get(module, _canonical(module))


def _third_party(tree: Tree, path: str, text: str) -> set[str]:
    return {
        module
        for module in _imports(path, text)
        if module != tree.slug and module not in sys.stdlib_module_names
        if not _is_helper_of_tests(tree, path, module)
    }


def _is_helper_of_tests(tree: Tree, path: str, module: str) -> bool:
    """Say whether pytest lets a test import a module by its bare name: one in a folder above it."""
    folders = Path(path).parents
    return any(
        folder.parts[:1] == ("tests",) and (folder / f"{module}.py").as_posix() in tree.files
        for folder in folders
    )


def undeclared_imports(tree: Tree) -> list[str]:
    """Find imports, and classes named by configs, of packages that pyproject.toml leaves out."""
    settings = _settings(tree)
    own, groups = _declared(settings)
    package = own | _members_of(settings, "serve") | _members_of(settings, "lambda")
    found = []
    for path, text in tree.under(".py", ".ipynb").items():
        shipped = path.startswith("src/")
        for module in sorted(_third_party(tree, path, text)):
            if _distribution(module) not in (package if shipped else own | groups):
                where = "dependencies" if shipped else "dependencies or groups"
                found.append(f"{path}: imports {module}, which is not in pyproject's {where}")
    for path, target in _targets(tree):
        module = target.partition(".")[0]
        known = module == tree.slug or module in sys.stdlib_module_names
        if not known and _distribution(module) not in own:
            found.append(f"{path}: names {target}, whose package is not in pyproject")
    return _unique(found)


def unserved_imports(tree: Tree) -> list[str]:
    """Find what a module that runs with one dependency group only imports besides that group."""
    settings = _settings(tree)
    found = []
    for group, names in ALONE.items():
        members = _members_of(settings, group)
        starts = [path for name in names if (path := f"src/{tree.slug}/{name}") in tree.texts]
        if members and not starts:
            found.append(
                f"pyproject.toml: no module of group {group} is there: name them in ALONE, "
                "in tests/checks/projects.py"
            )
        for path in _run_at_once(tree, starts) if members else ():
            found += [
                f"{path}: imports {package}, which group {group} does not hold"
                for package in _packages_at_once(path, tree.texts[path])
                if package != tree.slug and _distribution(package) not in members
            ]
    return _unique(found)


def _packages_at_once(path: str, text: str) -> list[str]:
    packages = {name.partition(".")[0] for name in eager_imports(path, text)}
    return sorted(packages - sys.stdlib_module_names)


def _run_at_once(tree: Tree, paths: Iterable[str]) -> list[str]:
    """Return the files of the package that run when some of them are imported, these included."""
    waiting = [file for path in paths for file in module_files(path[4:-3].replace("/", "."))]
    seen: list[str] = []
    while waiting:
        path = waiting.pop()
        if path in seen or path not in tree.texts:
            continue
        seen.append(path)
        for name in eager_imports(path, tree.texts[path]):
            waiting += module_files(name)
    return seen


def unused_dependencies(tree: Tree) -> list[str]:
    """Find declared dependencies that nothing imports, names or configures."""
    settings = _settings(tree)
    own, groups = _declared(settings)
    used = {
        _distribution(module)
        for path, text in tree.under(".py", ".ipynb").items()
        for module in _imports(path, text)
    }
    used |= {_distribution(target.partition(".")[0]) for _, target in _targets(tree)}
    tools = {_canonical(name) for name in settings.get("tool", {})}
    paths = " ".join(tree.files)
    calls = "\n".join(
        text
        for path, text in tree.texts.items()
        if not path.endswith((".md", ".py", ".ipynb", "pyproject.toml"))
    )
    everything = "\n".join(tree.texts.values())
    found = []
    for name in sorted(own | groups):
        stubs_for = name.removeprefix("types-").removesuffix("-stubs")
        evidence = (
            name in used
            or name in tools
            or (stubs_for != name and stubs_for in used)
            or re.search(rf"(^|[ /.]){re.escape(name)}([./ -]|$)", paths)
            or re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", calls)
            or (name in EVIDENCE and re.search(EVIDENCE[name], everything))
        )
        if not evidence:
            found.append(f"pyproject.toml: declares {name}, which nothing uses")
    return found


# Hydra -----------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1000)
def _targets_of(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[\"']?_target_[\"']?\s*[:=]\s*[\"']?([\w.]+)", text))


def _targets(tree: Tree) -> Iterator[tuple[str, str]]:
    for path, text in tree.under(".yaml", ".yml", ".py").items():
        for target in _targets_of(text):
            yield path, target


def foreign_targets(tree: Tree) -> dict[str, frozenset[str]]:
    """Map each class of another package that a config names to the arguments it gets."""
    found: dict[str, frozenset[str]] = {}

    def visit(node: Any) -> None:
        if isinstance(node, dict):
            target = str(node.get("_target_", ""))
            if target and not target.startswith(f"{tree.slug}."):
                arguments = frozenset(key for key in node if not key.startswith("_"))
                found[target] = found.get(target, frozenset()) | arguments
            for value in node.values():
                visit(value)

    for text in tree.under(".yaml", folder="configs/").values():
        visit(_config(text))
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


@functools.lru_cache(maxsize=1000)
def _config(text: str) -> Any:
    return read_yaml(text)


OVERRIDE = re.compile(r"[+~]{0,2}[A-Za-z_]\w*(?:[./@][A-Za-z_]\w*)*=\S*")


# What stands for any override in a sentence, and Python's own keyword arguments
NO_OVERRIDE = re.compile(r"(key|group|name)=.*|\w+=(True|False|None)")


@functools.lru_cache(maxsize=2000)
def _inline_overrides(text: str) -> tuple[str, ...]:
    """Return the overrides that stand alone in Markdown's back ticks."""
    return tuple(
        word
        for span in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)
        if all(OVERRIDE.fullmatch(word) for word in span.split())
        for word in span.split()
        if not NO_OVERRIDE.fullmatch(word)
    )


@functools.lru_cache(maxsize=200)
def _strings_of_command(text: str, command: str) -> tuple[str, ...]:
    """Return the strings in a command's function: one of them names its config."""
    for node in ast.walk(syntax(text)):
        if isinstance(node, ast.FunctionDef) and node.name.replace("_", "-") == command:
            constants = [leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Constant)]
            return tuple(value for value in constants if isinstance(value, str))
    return ()


Configs = tuple[tuple[str, str], ...]
Job = tuple[str, ...]


def unknown_overrides(tree: Tree) -> list[str]:
    """Find Hydra overrides that don't compose with the project's configs."""
    configs = _configs(tree)
    primary = _primary(configs)
    if not primary:
        return []
    cli = tree.texts.get(f"src/{tree.slug}/cli.py", "")
    wanted: dict[tuple[str, ...], dict[Job, list[tuple[str, Job]]]] = {}
    found = []
    for path, text in _everything_said(tree):
        calls = [
            (tuple(one for one in _strings_of_command(cli, command) if one in primary), overrides)
            for command, arguments in command_lines(text, tree.slug)
            if (overrides := tuple(word for word in arguments if OVERRIDE.fullmatch(word)))
        ]
        if path.endswith(".md"):
            calls += [((), (word,)) for word in _inline_overrides(text)]
        for names, call in calls:
            overrides = tuple(word for word in call if "${" not in word)
            try:
                jobs = _jobs(overrides)
            except HydraException as error:
                found.append(f"{path}: overrides {' '.join(overrides)}: {_one_line(error)}")
                continue
            places = wanted.setdefault(names or primary, {})
            for job in jobs:
                places.setdefault(job, []).append((path, overrides))
    for names, places in wanted.items():
        # Whether a value can be set does not depend on the value
        alike: dict[Job, list[Job]] = {}
        for job in sorted(places):
            alone = len(job) == 1 and "." in job[0].partition("=")[0]
            alike.setdefault((job[0].partition("=")[0],) if alone else job, []).append(job)
        first = tuple(jobs[0] for jobs in alike.values())
        for job, reason in _refused(configs, names, first).items():
            if any(not _refused(configs, names, (row,)) for row in _with_options(configs, job)):
                continue
            found += [
                f"{path}: overrides {' '.join(overrides)}: {reason}"
                for jobs in alike.values()
                if jobs[0] == job
                for one in jobs
                for path, overrides in places[one]
            ]
    return _unique(found)


def _with_options(configs: Configs, job: Job) -> list[Job]:
    """Put each option of a group before a value that stands alone: `data.source` needs one."""
    group = job[0].partition(".")[0] if len(job) == 1 else "no group"
    paths = [path for path, _ in configs if path.startswith(f"configs/{group}/")]
    return [(f"{group}={path.rpartition('/')[2][:-5]}", *job) for path in paths]


def broken_configs(tree: Tree) -> list[str]:
    """Find primary configs and group options that don't compose."""
    configs = _configs(tree)
    primary = _primary(configs)
    found = [
        f"configs/{name}.yaml: {reason}"
        for name in primary
        for reason in _refused(configs, (name,), ((),)).values()
    ]
    if found:
        return found  # with them, nothing composes
    options = {path[8:-5].rpartition("/")[::2]: path for path, _ in configs if path.count("/") > 1}
    left = _refused(configs, primary, tuple((f"{group}={name}",) for group, name in options))
    # A group that no config has in its defaults has to be added
    left = _refused(configs, primary, tuple((f"+{job[0]}",) for job in left))
    return [
        f"{options[group, name]}: {reason}"
        for job, reason in left.items()
        for group, _, name in [job[0].removeprefix("+").partition("=")]
    ]


def _configs(tree: Tree) -> Configs:
    return tuple(sorted(tree.under(".yaml", folder="configs/").items()))


def _primary(configs: Configs) -> tuple[str, ...]:
    """Name the configs that are no option of a group, the largest first."""
    found = [(len(text), path[8:-5]) for path, text in configs if path.count("/") == 1]
    return tuple(name for _, name in sorted(found, reverse=True))


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


@functools.lru_cache(maxsize=1000)
def _refused(configs: Configs, names: tuple[str, ...], jobs: tuple[Job, ...]) -> dict[Job, str]:
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
    chosen = {re.split(r"[/@=]", word.lstrip("+~"), maxsplit=1)[0] for word in job}
    for path, text in configs:
        if path == f"configs/{name}.yaml":
            defaults = read_yaml(text).get("defaults", [])
            chosen |= {key.split()[-1] for row in defaults if isinstance(row, dict) for key in row}
    return tuple(
        (path, text)
        for path, text in configs
        if path == f"configs/{name}.yaml" or path.split("/")[1] in chosen
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
        return _one_line(error)
    return ""


def _one_line(error: Exception) -> str:
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


def unknown_parameters(tree: Tree) -> list[str]:
    """Find parameters of dvc.yaml that the named file does not hold."""
    pipeline = _config(tree.texts.get("dvc.yaml", "{}")) or {}
    found = []
    for stage, settings in pipeline.get("stages", {}).items():
        for row in settings.get("params", []):
            named = row if isinstance(row, dict) else {"params.yaml": [row]}
            for path, keys in named.items():
                value = _config(tree.texts[path]) if path in tree.texts else {}
                for name in keys or []:
                    node = value
                    for part in name.split("."):
                        node = node.get(part, KeyError) if isinstance(node, dict) else KeyError
                    if node is KeyError:
                        found.append(f"dvc.yaml: {stage} depends on {name}, not in {path}")
    return found


# Names inside the package ------------------------------------------------------------------------


@functools.lru_cache(maxsize=2000)
def _defined(text: str) -> frozenset[str]:
    """Return the names that a module defines or imports at its top level."""
    found = set()
    blocks: list[ast.stmt] = list(syntax(text).body)
    while blocks:
        node = blocks.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.If | ast.Try | ast.With):
            blocks += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
        else:
            found |= {leaf.id for leaf in ast.walk(node) if isinstance(leaf, ast.Name)}
    return frozenset(found)


@functools.lru_cache(maxsize=2000)
def _members(text: str, name: str) -> frozenset[str] | None:
    """Return what a class defines, or None for what has no members to look up."""
    for node in syntax(text).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            found = set().union(*(_defined(ast.unparse(child)) for child in node.body))
            stores = (leaf.attr for leaf in ast.walk(node) if isinstance(leaf, ast.Attribute))
            return frozenset(found | set(stores)) if not node.bases else None
    return None


def _module_file(tree: Tree, module: str) -> str | None:
    where = f"src/{module.replace('.', '/')}"
    return next((p for p in (f"{where}.py", f"{where}/__init__.py") if p in tree.texts), None)


def _resolves(tree: Tree, dotted: str) -> bool:
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        file = _module_file(tree, ".".join(parts[:length]))
        if file is None:
            continue
        rest = parts[length:]
        if not rest:
            return True
        if rest[0] not in _defined(tree.texts[file]):
            return rest[0].startswith("__") and len(rest) == 1  # __version__, __file__
        members = _members(tree.texts[file], rest[0])
        return len(rest) == 1 or members is None or rest[1] in members
    return False


def broken_imports(tree: Tree) -> list[str]:
    """Find imports from the package of modules or names that it does not have."""
    return _unique(
        f"{path}:{line}: imports {name}, which does not exist"
        for path, text in tree.under(".py", ".ipynb").items()
        for line, name in imported_names(path, text)
        if name.partition(".")[0] == tree.slug and not _resolves(tree, name)
    )


def broken_references(tree: Tree) -> list[str]:
    """Find dotted names of modules, classes and entry points that the package does not have."""
    pattern = re.compile(
        rf"(?<![\w/.@-]){re.escape(tree.slug)}((?:\.[A-Za-z_]\w*)+)(?::([A-Za-z_]\w*))?(?![\w/-])"
    )
    found = []
    for path, text in tree.texts.items():
        for names, entry in pattern.findall(text):
            dotted = f"{tree.slug}{names}" + (f".{entry}" if entry else "")
            if not _resolves(tree, dotted):
                found.append(f"{path}: names {dotted}, which does not exist")
    return _unique(found)


# Containers ------------------------------------------------------------------------------------

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


@functools.lru_cache(maxsize=1000)
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


def leaky_contexts(tree: Tree) -> list[str]:
    """Find what a Dockerfile copies and does not get, and what it gets and does not copy."""
    dockerfiles = tree.under(".dockerfile")
    if not dockerfiles:
        return []
    lines = tree.texts.get(".dockerignore", "").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    made = [path.format(slug=tree.slug) for path in LYING_ABOUT]
    sent = [path for path in {*tree.files, *made} if not _ignored(rules, path)]
    found = [
        f"{name}: copies {source}, which {'.dockerignore leaves out' if there else 'is not there'}"
        for name, text in dockerfiles.items()
        for source in _copied(text)
        if not any(_matches(source, path) for path in sent)
        for there in [any(_matches(source, path) for path in {*tree.files, *made})]
    ]
    copied = [source for text in dockerfiles.values() for source in _copied(text)]
    found += [
        f".dockerignore: lets {path} through, which no Dockerfile copies"
        for path in sorted(sent)
        if "__pycache__" in path or not any(_matches(source, path) for source in copied)
    ]
    found += [
        f".dockerignore: {rule} lets nothing through"
        for rule in rules
        if rule.startswith("!")
        and not any(_matches(rule[1:], path) for path in {*tree.files, *made})
    ]
    return _unique(found)


# What was not chosen -----------------------------------------------------------------------------


@functools.lru_cache(maxsize=100_000)
def _holds(text: str, words: str) -> str:
    match = re.search(rf"(?<![a-z0-9])(?:{words})(?![a-z0-9])", text, re.IGNORECASE)
    return match.group() if match else ""


def traces(tree: Tree, toggles: Mapping[str, list[Any]]) -> list[str]:
    """Find words of choices that were not made, in names and in contents."""
    found = []
    paths = "\n".join(tree.files).replace("_", " ")
    for question, choices in toggles.items():
        if question in SHARED_WORDS or question not in tree.answers:
            continue
        chosen = tree.answers[question]
        if isinstance(chosen, bool):
            others = [] if chosen else [question]
        else:
            others = [choice for choice in choices if choice not in {chosen, "none"}]
        for other in others:
            words = WORDS.get(other, re.escape(other).replace("_", "[ _-]?"))
            for path, text in [("file names", paths), *_everything_said(tree)]:
                at_home = other in AT_HOME and path.startswith(AT_HOME[other])
                if not at_home and (word := _holds(text, words)):
                    found.append(f"{path}: holds {word!r}, but {question} is {chosen!r}")
    return _unique(found)


def unexplained_secrets(tree: Tree) -> list[str]:
    """Find secrets that a workflow reads and that no page tells the reader to set."""
    pages = "\n".join(tree.under(".md").values())
    return _unique(
        f"{path}: reads secrets.{name}, which no page explains"
        for path, text in tree.under(".yml", ".yaml", folder=".github/").items()
        for name in re.findall(r"secrets\.(\w+)", text)
        if name != "GITHUB_TOKEN" and name not in pages
    )


def _layout(readme: str) -> set[str]:
    """Read the README's picture of the project: the paths of its folders and modules.

    A line is a folder, which ends in a slash, or a file; what is indented lies in the folder
    above. A folder's note may name its modules: `networks/  yours: cnn.py, mlp.py`. Lines that
    start where the notes stand continue the note above.
    """
    picture = readme.partition("\n## Layout\n")[2].partition("```\n")[2].partition("```")[0]
    notes = re.search(r"^( *\S+ {2,})", picture, re.MULTILINE)
    found = set()
    folders = [(-1, "")]
    for line in picture.splitlines():
        indent = len(line) - len(line.lstrip())
        note = line
        if not notes or indent < len(notes.group()):
            while folders[-1][0] >= indent:
                folders.pop()
            name, _, note = line.strip().partition(" ")
            folders.append((indent, f"{folders[-1][1]}{name}"))
            found.add(folders[-1][1])
        if folders[-1][1].endswith("/"):
            found |= {f"{folders[-1][1]}{module}" for module in re.findall(r"[\w-]+\.py\b", note)}
    return found


def unlisted_parts(tree: Tree) -> list[str]:
    """Find folders and modules that the README's picture leaves out, or has somewhere else."""
    package = f"src/{tree.slug}/"
    listed = _layout(tree.texts["README.md"])
    folders = {f"{path.split('/')[0]}/" for path in tree.files if "/" in path and path[0] != "."}
    modules = {
        path
        for path in tree.under(".py")
        if path.startswith(package) or "/" not in path
        if not path.rpartition("/")[2].startswith("__")
    }
    found = [
        f"README.md: its layout leaves out {path.removeprefix(package)}"
        for path in sorted(folders - {"src/"} | modules)
        if path not in listed
    ]
    found += [
        f"README.md: its layout has {path}, which is not there"
        for path in sorted(listed)
        if path.rstrip("/") not in (tree.folders if path.endswith("/") else tree.files)
    ]
    return found


PROJECT_CHECKS: tuple[Callable[[Tree], list[str]], ...] = (
    dangling_paths,
    unknown_commands,
    unknown_groups,
    undeclared_imports,
    unserved_imports,
    unused_dependencies,
    broken_configs,
    unknown_overrides,
    unknown_parameters,
    broken_imports,
    broken_references,
    unexplained_secrets,
    unknown_environments,
    unknown_to_terraform,
    unset_variables,
    unknown_parts,
    leaky_contexts,
    unlisted_parts,
    wrong_direction,
    busy_packages,
)


def check_project(tree: Tree, toggles: Mapping[str, list[Any]]) -> list[str]:
    """Run every check of the texts and of the project that needs no more than these two."""
    problems = [problem for item in tree.texts.items() for problem in check_text(*item)]
    if any(unparsable(*item) for item in tree.texts.items()):
        return problems  # the other checks read the syntax
    problems += [problem for check in PROJECT_CHECKS for problem in check(tree)]
    return problems + traces(tree, toggles)
