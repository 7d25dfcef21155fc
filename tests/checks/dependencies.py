"""Checks of what a project imports or uses against what it declares."""

import re
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath

from forest import Forest, Found, Where, union

from checks.configs import targets
from checks.pyproject import Declared, distribution
from checks.syntax import eager_imports, imported_packages, module_files

GROUP = re.compile(r"--(?:only-|no-)?group[ =]([\w-]+)")
EXTRA = re.compile(r"(?:--extra[ =]|(?<![\w\]])\.\[)([\w-]+)")

# What has to run where nothing but one dependency group is installed: modules, by their place in
# the package
ALONE = {
    "inference": ("inference/onnx_model.py", "inference/predictor.py"),
    "lambda": ("serving/aws_lambda.py",),
    "serve": ("serving/api.py", "serving/bento.py", "serving/function.py", "serving/server.py"),
}
# What shows that a distribution is used that is neither imported nor named by a file or a setting
EVIDENCE = {
    "dependency-groups": r"\"dependency-groups\"",
    "functions-framework": r"\"functions_framework\"",
    "fastapi-swagger": r"\"fastapi_swagger\"",
    "httptools": r"import uvicorn",
    "python-multipart": r"UploadFile",
    "schemathesis": r"schemathesis\.cli",
    "uvloop": r"import uvicorn",
    "onnxscript": r"torch\.onnx|onnx\.export",
    "ipykernel": r"\"kernelspec\"",
    "jupyterlab": r"\"kernelspec\"",
    "mkdocstrings-python": r"mkdocstrings",
    "pytest-cov": r"--cov\b|\[tool\.coverage",
    "pytest-xdist": r"(^|\s)-n[ =]|-nauto",
}
# What a module of the package imports when it is asked to, and names the group to install
OPTIONAL = {"datasets", "pyarrow", "tokenizers", "transformers"}
IN_THIS_FILE = "in tests/checks/dependencies.py"


def unknown_groups(forest: Forest) -> Found:
    """Find dependency groups and extras that pyproject.toml does not have."""
    found = Found()
    declared = Declared(forest)
    for (group, other), where in declared.included.items():
        problem = f"pyproject.toml: group {group} includes {other}, which is no group"
        found.note(problem, where & ~declared.groups.get(other, 0))
    for group, where in declared.default.items():
        problem = f"pyproject.toml: default group {group} does not exist"
        found.note(problem, where & ~declared.groups.get(group, 0))
    kinds = (("group", declared.groups, GROUP), ("extra", declared.extras, EXTRA))
    for path, _ in forest.said():
        for text, where in forest.pieces(path).items():
            for kind, known, pattern in kinds:
                for name in pattern.findall(text):
                    problem = f"{path}: names the {kind} {name}, which does not exist"
                    found.note(problem, where & ~known.get(name, 0))
    return found


def undeclared_imports(forest: Forest) -> Found:
    """Find imports, and classes named by configs, of packages that pyproject.toml leaves out."""
    found = Found()
    declared = Declared(forest)
    for path, package, where in _imported(forest):
        name = distribution(package)
        known = declared.own.get(name, 0)
        if path.startswith("src/"):
            # What the package ships with may come from the groups that the services run with
            known |= declared.holds("serve", name) | declared.holds("lambda", name)
            table = "dependencies"
        else:
            known |= declared.grouped.get(name, 0) | _helpers(forest, path, package)
            table = "dependencies or groups"
        if package in OPTIONAL:  # the module says how to install the group
            known |= declared.grouped.get(name, 0)
        problem = f"imports {package}, which is not in pyproject's {table}; if its distribution"
        remedy = "has another name, add it to DISTRIBUTIONS in tests/checks/pyproject.py"
        found.note(f"{path}: {problem} {remedy}", where & ~known)
    for path, target, where in targets(forest):
        package = target.partition(".")[0]
        if package != forest.slug and package not in sys.stdlib_module_names:
            undeclared = where & ~declared.own.get(distribution(package), 0)
            found.note(f"{path}: names {target}, whose package is not in pyproject", undeclared)
    return found


def _imported(forest: Forest) -> Iterator[tuple[str, str, Where]]:
    """Yield each import of what is neither the package nor Python's own: path, package, where."""
    for path, texts in forest.under(".py", ".ipynb").items():
        for text, where in texts.items():
            for package in imported_packages(path, text) - sys.stdlib_module_names:
                if package != forest.slug:
                    yield path, package, where


def _helpers(forest: Forest, path: str, module: str) -> Where:
    """Return where pytest lets a test import a module by its bare name: from a folder above it."""
    folders = [folder for folder in PurePosixPath(path).parents if folder.parts[:1] == ("tests",)]
    return union(forest.has((folder / f"{module}.py").as_posix()) for folder in folders)


def unserved_imports(forest: Forest) -> Found:
    """Find what a module that runs with one dependency group only imports besides that group."""
    found = Found()
    declared = Declared(forest)
    for group, names in ALONE.items():
        starts = [f"src/{forest.slug}/{name}" for name in names]
        there = union(map(forest.has, starts))
        for members, where in declared.members(group).items():
            problem = f"no module of group {group} is there; name one in ALONE {IN_THIS_FILE}"
            found.note(f"pyproject.toml: {problem}", where & ~there)
            for path, text, running in _running(forest, starts, where):
                imported = {name.partition(".")[0] for name in eager_imports(path, text)}
                for package in imported - sys.stdlib_module_names - {forest.slug}:
                    if distribution(package) not in members:
                        problem = f"imports {package}, which group {group} does not hold"
                        found.note(f"{path}: {problem}", running)
    return found


def _running(forest: Forest, starts: list[str], where: Where) -> Iterator[tuple[str, str, Where]]:
    """Yield the texts of the package that run where some of its files are imported."""
    imports = [
        (file, where & forest.has(path))
        for path in starts
        for file in module_files(path.removeprefix("src/")[:-3].replace("/", "."))
    ]
    seen: dict[str, Where] = {}
    while imports:
        path, importing = imports.pop()
        new = importing & ~seen.get(path, 0)
        seen[path] = seen.get(path, 0) | new
        for text, there in forest.texts(path).items():
            if running := new & there:
                yield path, text, running
                for name in eager_imports(path, text):
                    imports += [(file, running) for file in module_files(name)]


def unused_dependencies(forest: Forest) -> Found:
    """Find declared dependencies that nothing imports, names or configures."""
    found = Found()
    declared = Declared(forest)
    used = Found(declared.tools)
    for _, package, where in _imported(forest):
        used.note(distribution(package), where)
    for _, target, where in targets(forest):
        used.note(distribution(target.partition(".")[0]), where)
    for name in declared.own.keys() | declared.grouped.keys():
        unused = declared.own.get(name, 0) | declared.grouped.get(name, 0)
        for known in {name, name.removeprefix("types-").removesuffix("-stubs")}:
            unused &= ~used.get(known, 0)
        if unused:
            unused &= ~(_in_paths(forest, name) | _in_texts(forest, name))
        problem = f"declares {name}, which nothing uses; if a file does without naming it, add"
        remedy = f"the words that show it to EVIDENCE {IN_THIS_FILE}"
        found.note(f"pyproject.toml: {problem} {remedy}", unused)
    return found


def _in_paths(forest: Forest, name: str) -> Where:
    pattern = re.compile(rf"(^|[ /.]){re.escape(name)}([./ -]|$)")
    return union(where for path, where in forest.present.items() if pattern.search(path))


def _in_texts(forest: Forest, name: str) -> Where:
    """Return where a script or a setting names a distribution, or any text holds its evidence."""
    named = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    evidence = re.compile(EVIDENCE[name]) if name in EVIDENCE else None
    found = 0
    for path in forest.variants:
        is_call = not path.endswith((".md", ".py", ".ipynb", "pyproject.toml"))
        for text, where in forest.pieces(path).items() if is_call or evidence else ():
            if (is_call and named.search(text)) or (evidence and evidence.search(text)):
                found |= where
    return found
