"""The checkers checked: each planted fault is found, by the check that is there for it alone."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bakery import marks, template_files
from checks import projects, texts
from checks.choices import traces
from checks.configs import foreign_targets, missing_foreign_targets
from checks.dependencies import ALONE
from checks.overrides import unknown_overrides
from checks.paths import dangling_paths, files
from checks.tree import Tree
from checks.wings import ORDER
from checks.workflows import unknown_parts
from forest import Forest, Found

TOGGLES: dict[str, list[Any]] = {
    "tracker": ["wandb", "mlflow", "none"],
    "docker": [True, False],
    "license": ["MIT"],
}
CLI = '''"""The command line."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command(context_settings={"ignore_unknown_options": True})
def train(context: typer.Context) -> None:
    """Train, see `configs/train.yaml`: `net train model=mlp`."""
    run(context, "train")


@app.command("score")
def evaluate(path: Path, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Score a model."""


def run(context: typer.Context, config: str) -> None:
    """Run."""
'''
PYPROJECT = """[project]
name = "net"
requires-python = ">=3.11"
dependencies = ["hydra-core>=1.3", "scikit-learn", "typer"]

[project.scripts]
net = "net.cli:app"

[dependency-groups]
lint = ["ruff"]
dev = ["pytest", "pytest-cov", { include-group = "lint" }]

[tool.uv]
default-groups = ["dev"]

[tool.ruff]
line-length = 100

[tool.ruff.lint]
extend-select = ["I"]

[tool.pytest.ini_options]
addopts = ["--cov"]
"""
README = """# Net

Settings are in `configs/`, see [the pages](docs/index.md) and `src/net/model.py`.

```bash
uv sync --group dev
uv run net train model=mlp model.alpha=0.1  # as in configs/model/*.yaml
net train --multirun model=cnn,mlp
net score models/model.ckpt --json
```

`model=mlp` is the small one, `+model.extra=1` adds a setting,
`model.alpha=1` belongs to `mlp`, and `reports/metrics.json` is the result.

## Layout

```
configs/
docs/
notebooks/
src/net/
  cli.py
  model.py
  datasets/       yours:
                  digits.py
  inference/
    predictor.py  the only inference code
  serving/
    payloads.py
tests/
```
"""


def notebook(source: str) -> str:
    """Return a notebook of one code cell."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, id="a")])
    return nbformat.writes(book) + "\n"


FILES = {
    "README.md": README,
    "pyproject.toml": PYPROJECT,
    "docs/index.md": "# Pages\n\nBack to [the start](../README.md). `net.model.Net.fit` fits.\n",
    "configs/train.yaml": "defaults:\n  - model: cnn\n  - _self_\n\nseed: 0\n",
    "configs/model/cnn.yaml": "_target_: net.model.Net\nlr: 0.01\n",
    "configs/model/mlp.yaml": "_target_: sklearn.neural_network.MLPClassifier\nalpha: 0.01\n",
    "src/net/__init__.py": '"""A net."""\n',
    "src/net/__main__.py": '"""Runs."""\n\nfrom .cli import app\n\napp()\n',
    "src/net/cli.py": CLI,
    "src/net/model.py": (
        '"""The model, set up by configs/model/cnn.yaml."""\n\nfrom sklearn.base import clone\n\n\n'
        'class Net:\n    """A net."""\n\n    copy = clone\n\n    def fit(self) -> None:\n'
        '        """Fit."""\n'
    ),
    "src/net/datasets/__init__.py": '"""Data."""\n',
    "src/net/datasets/digits.py": '"""Digits."""\n',
    "src/net/inference/__init__.py": '"""Inference."""\n',
    "src/net/inference/predictor.py": (
        '"""Predicts."""\n\nfrom ..datasets import digits\nfrom ..model import Net\n\n'
        "PARTS = (digits, Net)\n"
    ),
    "src/net/serving/__init__.py": '"""Serving."""\n',
    "src/net/serving/payloads.py": (
        '"""Bodies."""\n\nfrom net.inference.predictor import PARTS\n\nfrom . import __doc__\n\n'
        "BODIES = (PARTS, __doc__)\n"
    ),
    "tests/serving/test_payloads.py": (
        "from helpers import help_me\n\nfrom net.serving import payloads\n\n\n"
        "def test_bodies():\n    assert help_me(payloads.BODIES)\n"
    ),
    "tests/helpers.py": "def help_me(value):\n    return value\n",
    "tests/test_model.py": (
        "import hydra\nimport pytest\n\nfrom net.model import Net\n\n\n"
        '@pytest.mark.parametrize("override", ["model=mlp", "seed=1"])\n'
        "def test_net(override):\n    assert Net and hydra\n"
    ),
    "notebooks/look.ipynb": notebook("from net.model import Net\n\nNet()"),
    "dvc.yaml": (
        "vars:\n  - configs/train.yaml:defaults\n"
        "stages:\n  train:\n    cmd: net train\n    deps:\n      - src/net/model.py\n"
        "    params:\n      - configs/train.yaml:\n          - seed\n"
        "      - configs/model/${defaults[0].model}.yaml:\n"
    ),
    ".vscode/launch.json": json.dumps(
        {"configurations": [{"module": "net", "args": ["train", "model=mlp"]}]}
    )
    + "\n",
    ".github/workflows/test.yml": "run: python -m net train ${{ matrix.python }}\n",
}
TREE = Tree(
    "net",
    {path: text.encode() for path, text in FILES.items()},
    answers={"tracker": "none", "docker": False, "license": "MIT"},
    possible=frozenset({*FILES, "src/net/export.py"}),
    printed="\n  cd net\n  uv run net train\n",
)


def ruff(tree: Tree, folder: Path) -> list[str]:
    """Write the tree out and let ruff judge it."""
    for path, content in tree.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return texts.ruff_problems(folder)


Check = Callable[[Tree], Iterable[str]]


def _each_text(check: Callable[[str, str], Iterable[str]]) -> Check:
    return lambda tree: [problem for item in tree.texts.items() for problem in check(*item)]


def _alone(check: Callable[[Forest], Found]) -> Check:
    """Turn a check of a forest into one of a project, a universe of one combination."""
    return lambda tree: check(Forest.of(tree))


TEXT_CHECKS = {check.__name__: _each_text(check) for check in texts.TEXT_CHECKS}
CHECKS: dict[str, Check] = {
    **TEXT_CHECKS,
    **{check.__name__: _alone(check) for check in projects.CHECKS},
    "files": lambda tree: files(tree, tree.possible - {"src/net/export.py"}),
    "traces": _alone(lambda forest: traces(forest, TOGGLES)),
    "missing_foreign_targets": lambda tree: missing_foreign_targets(
        foreign_targets(Forest.of(tree))
    ),
}


def findings(tree: Tree, folder: Path | None = None) -> dict[str, list[str]]:
    """Run every check; return those that found something."""
    broken = CHECKS["unparsable"](tree)
    checks = TEXT_CHECKS if broken else CHECKS  # the others read the syntax
    found = {name: list(check(tree)) for name, check in checks.items()}
    if folder:
        found["ruff"] = ruff(tree, folder)
    return {name: problems for name, problems in found.items() if problems}


def add(path: str, more: str) -> Callable[[Tree], Tree]:
    """Return a fault: text added at a file's end."""
    return lambda tree: tree.with_file(path, FILES[path] + more)


def swap(path: str, old: str, new: str) -> Callable[[Tree], Tree]:
    """Return a fault: text of a file replaced."""
    assert old in FILES[path], f"{old!r} is not in {path}"
    return lambda tree: tree.with_file(path, FILES[path].replace(old, new))


def listed(tree: Tree, path: str) -> Tree:
    """Name a file's module or folder in the README's layout."""
    folder, _, name = path.rpartition("/")
    inside = f"{folder}/".removeprefix("src/net/")
    if folder == "src/net":
        old, new = "src/net/\n", f"src/net/\n  {name}\n"
    elif folder.startswith("src/net/"):
        old, new = "src/net/\n", f"src/net/\n  {inside}  {name}\n"
    else:
        old, new = "configs/\n", f"configs/\n{inside if folder else name}\n"
    readme = tree.texts["README.md"].replace(f"\n{old}", f"\n{new}")
    return tree.with_file("README.md", readme)


def extra(path: str, text: str) -> Callable[[Tree], Tree]:
    """Return a fault in a file of its own, one that the template has."""
    return lambda tree: replace(
        listed(tree, path).with_file(path, text), possible=frozenset({*tree.possible, path})
    )


def dockerised(dockerfile: str, ignore: str, **answers: str) -> Callable[[Tree], Tree]:
    """Return a fault in a Dockerfile or in what it gets to see."""
    new = {"dockerfiles/a.dockerfile": dockerfile, ".dockerignore": ignore}
    return lambda tree: replace(
        tree,
        files={
            **listed(tree, "dockerfiles/").files,
            **{path: text.encode() for path, text in new.items()},
        },
        possible=frozenset({*tree.possible, *new}),
        answers={**tree.answers, "docker": True, **answers},
    )


def served(imports: str, *files: str) -> Callable[[Tree], Tree]:
    """Return a fault: a service runs with one group, and files that it imports need another."""
    settings = FILES["pyproject.toml"].replace(
        "[dependency-groups]\n", '[dependency-groups]\nserve = ["scikit-learn"]\n'
    )
    assert settings != FILES["pyproject.toml"]
    api = extra("src/net/serving/api.py", f'"""Serves."""\n\n{imports}\n')

    def plant(tree: Tree) -> Tree:
        for path in files:
            tree = tree.with_file(path, f"{FILES[path]}import hydra\n")
        return api(tree.with_file("pyproject.toml", settings))

    return plant


def wing(name: str, imports: str) -> Callable[[Tree], Tree]:
    """Return a fault in the one module of a wing of its own."""
    part = f'"""A part."""\n\n{imports}\n' if imports else '"""A part."""\n'
    return lambda tree: extra(f"src/net/{name}/part.py", part)(
        extra(f"src/net/{name}/__init__.py", '"""A wing."""\n')(tree)
    )


WORKFLOW = "on:\n  push: {}\njobs:\n  a:\n"
DOCKERFILE = "FROM base\nRUN uv sync\nCOPY --chmod=755 src /app/src\n"
IGNORE = "*\n!src\n**/__pycache__\n"

RECIPE = """
`src/net/datasets/mine.py`:

```python
\"\"\"Mine.\"\"\"

from . import digits


class Mine:
    \"\"\"Mine.\"\"\"
```

`configs/model/mine.yaml`:

```yaml
_target_: net.datasets.mine.Mine
```

```bash
net train model=mine
```
"""


def recipe(old: str, new: str) -> Callable[[Tree], Tree]:
    """Return a fault in the page that lets its reader add a class."""
    return extra("docs/changing.md", "# Changing\n" + RECIPE.replace(old, new))


# What is planted: the fault, the check that must find it, what it must say
FAULTS: dict[str, tuple[Callable[[Tree], Tree], str, str]] = {
    # one text
    "Jinja left in YAML": (extra("a.yml", "a: '{{ slug }}'\n"), "residue", "{{"),
    "Jinja left in Markdown": (add("README.md", "\n{% if x %}\n"), "residue", "{%"),
    "Jinja left in Python": (add("src/net/__init__.py", "# {{ slug }}\n"), "residue", "{{"),
    "Jinja left in a notebook": (
        extra("notebooks/b.ipynb", notebook("# {{ slug }}")), "residue", "b.ipynb",
    ),
    "TODO": (add("src/net/__init__.py", "# TODO: write it\n"), "residue", "TODO"),
    "FIXME": (add("docs/index.md", "\nFIXME\n"), "residue", "FIXME"),
    "a word of the engine's": (add("docs/index.md", "\nBy Cookiecutter.\n"), "residue", "Cookie"),
    "the stand-in slug": (add("docs/index.md", "\nrejected_answer\n"), "residue", "rejected"),
    "white space at a line's end": (add("docs/index.md", "\nEnd. \n"), "untidy", "end of the line"),
    "no final newline": (add("docs/index.md", "\nEnd."), "untidy", "no final newline"),
    "blank line at the end": (add("docs/index.md", "\n"), "untidy", "ends with a blank"),
    "blank line at the start": (
        swap("docs/index.md", "# Pages", "\n# Pages"), "untidy", "starts with",
    ),
    "two blank lines in Markdown": (add("docs/index.md", "\n\nEnd.\n"), "untidy", "2 blank lines"),
    "two blank lines in TOML": (add("pyproject.toml", "\n\n[tool.x]\n"), "untidy", "2 blank lines"),
    "two blank lines in YAML": (
        swap("configs/train.yaml", "\n\nseed", "\n\n\nseed"), "untidy", "2 blank lines",
    ),
    "three blank lines in Python": (
        swap("src/net/model.py", "\n\n\nclass", "\n\n\n\nclass"), "untidy", "3 blank lines",
    ),
    "code that follows a sentence": (
        swap("README.md", "\n\n```bash", "\n```bash"), "untidy", "no blank line around the code",
    ),
    "code that a sentence follows": (
        add("docs/index.md", "\n```\nnet\n```\nEnd.\n"), "untidy", "no blank line around the code",
    ),
    "line twice in an ignore file": (
        extra(".gitignore", "*.tfvars\n\n# Python\n*.tfvars\n"), "untidy", "there twice",
    ),
    "carriage returns": (swap("docs/index.md", "\n", "\r\n"), "untidy", "carriage"),
    "a file of nothing but newlines": (extra("a.cfg", "\n"), "untidy", "is empty"),
    "TOML that does not parse": (extra("a.toml", 'a = "b"c"\n'), "unparsable", "a.toml"),
    "YAML that does not parse": (extra("a.yaml", "a: b: c\n"), "unparsable", "a.yaml"),
    "YAML with a key twice": (extra("a.yaml", "a: 1\na: 2\n"), "unparsable", "repeated key a"),
    "JSON that does not parse": (extra("a.json", '{"a": 1,}\n'), "unparsable", "a.json"),
    "notebook without cells": (extra("a.ipynb", "{}\n"), "unparsable", "a.ipynb"),
    "settings that do not parse": (extra(".dvc/config", "[a\n"), "unparsable", ".dvc/config"),
    "label that ends early": (
        dockerised('FROM a\nLABEL org.opencontainers.image.title="a"b"\n', "*\n"),
        "unparsable", "label title",
    ),
    "label that holds a variable": (
        dockerised('FROM a\nLABEL org.opencontainers.image.title="$5"\n', "*\n"),
        "unparsable", "label title",
    ),
    "environment that does not parse": (extra(".env.example", "a b\n"), "unparsable", "a b"),
    # the file set
    "missing prune": (
        extra("src/net/export.py", '"""Exports."""\n'),
        "files", "export.py: should not be there",
    ),
    "file pruned that should stay": (
        lambda tree: swap("README.md", "notebooks/\n", "")(tree.without("notebooks/look.ipynb")),
        "files", "look.ipynb: is missing",
    ),
    "file from nowhere": (
        lambda tree: tree.with_file("docs/more.md", "# More\n"), "files", "more.md: should not",
    ),
    "empty folder": (lambda tree: replace(tree, empty=("infra",)), "files", "infra: is an empty"),
    "rubbish": (extra("docs/a.md.orig", "text\n"), "files", "is rubbish"),
    # paths
    "link to no page": (add("docs/index.md", "\n[More](more.md)\n"), "dangling_paths", "more.md"),
    "link to no folder": (add("README.md", "\n[More](infra)\n"), "dangling_paths", "infra"),
    "name of no file": (add("README.md", "\nSee `setup.cfg`.\n"), "dangling_paths", "setup.cfg"),
    "path of no file": (
        add("README.md", "\nSee `src/net/data.py`.\n"), "dangling_paths", "src/net/data.py",
    ),
    "path of no folder": (add("README.md", "\nSee `src/nets/`.\n"), "dangling_paths", "src/nets"),
    "path of no file, in a folder of the package": (
        add("README.md", "\nSee `datasets/mnist.py`.\n"), "dangling_paths", "datasets/mnist.py",
    ),
    "path of no file, in a folder that is named like one of outputs": (
        add("README.md", "\nSee `data/batches.py`.\n"), "dangling_paths", "data/batches.py",
    ),
    "path of no file, in a folder that is named like that of models": (
        add("README.md", "\nSee `models/cnn.py`.\n"), "dangling_paths", "models/cnn.py",
    ),
    "path of no file in a folder": (
        add("README.md", "\nSee `src/net/data/raw.py`.\n"), "dangling_paths", "net/data/raw.py",
    ),
    "path of no file, in a test": (
        add("tests/helpers.py", 'PATH = "src/net/data.py"\n'), "dangling_paths", "net/data.py",
    ),
    "pruned file, by name in a test": (
        add("tests/helpers.py", 'PATH = "export.py"\n'), "dangling_paths", "export.py",
    ),
    "pattern in no folder": (
        add("README.md", "\nSee `configs/data/*.yaml`.\n"), "dangling_paths", "configs/data",
    ),
    "pruned file, by name": (
        add("README.md", "\n`export.py` exports.\n"), "dangling_paths", "export.py",
    ),
    "path in a docstring": (
        add("src/net/__init__.py", '"""See docs/api.md."""\n'), "dangling_paths", "docs/api.md",
    ),
    "path in a comment": (
        add("src/net/__init__.py", "# see docs/api.md\n"), "dangling_paths", "docs/api.md",
    ),
    "path in a string": (
        add("src/net/__init__.py", 'P = "configs/predict.yaml"\n'), "dangling_paths", "predict",
    ),
    "path in the pipeline": (
        swap("dvc.yaml", "- src/net/model.py", "- src/net/data.py"), "dangling_paths", "data.py",
    ),
    "path in a tree picture": (
        add("README.md", "\n```\n├── nets.py   the nets\n```\n"), "dangling_paths", "nets.py",
    ),
    "module that the layout leaves out": (
        swap("README.md", "  model.py\n", ""), "unlisted_parts", "leaves out model.py",
    ),
    "module that the layout leaves out of its folder": (
        swap("README.md", "    predictor.py  the only inference code\n", ""),
        "unlisted_parts", "leaves out inference/predictor.py",
    ),
    "module that the layout leaves out behind its folder": (
        swap("README.md", "yours:\n                  digits.py\n", "yours\n"),
        "unlisted_parts", "leaves out datasets/digits.py",
    ),
    "module that the layout has in another folder": (
        swap("README.md", "    payloads.py\n", "    payloads.py\n    predictor.py\n"),
        "unlisted_parts", "has src/net/serving/predictor.py, which is not there",
    ),
    "folder that the layout leaves out": (
        swap("README.md", "docs/\n", ""), "unlisted_parts", "leaves out docs/",
    ),
    # commands
    "unknown command": (add("README.md", "\n`net serve` serves.\n"), "unknown_commands", "serve"),
    "unknown command of uv's": (
        add("README.md", "\n`uv run net serve`\n"), "unknown_commands", "serve",
    ),
    "unknown option": (
        add("README.md", "\n`net score a.ckpt --yaml`\n"), "unknown_commands", "--yaml",
    ),
    "unknown command in the pipeline": (
        swap("dvc.yaml", "net train", "net fit"), "unknown_commands", "net fit",
    ),
    "unknown command in the editor's": (
        swap(".vscode/launch.json", '"train"', '"fit"'), "unknown_commands", "net fit",
    ),
    "unknown command after the bake": (
        lambda tree: replace(tree, printed="  net fit\n"), "unknown_commands", "hook output",
    ),
    "unknown module to run": (
        add("README.md", "\n`python -m net.data`\n"), "broken_references", "net.data",
    ),
    "module that can't be run": (
        add("README.md", "\n`python -m net.model`\n"), "unknown_commands", "can't be run",
    ),
    # dependencies
    "unknown group": (add("README.md", "\n`uv sync --group gpu`\n"), "unknown_groups", "gpu"),
    "unknown extra": (add("README.md", "\n`pip install .[gpu]`\n"), "unknown_groups", "gpu"),
    "unknown default group": (
        swap("pyproject.toml", 'default-groups = ["dev"', 'default-groups = ["doc"'),
        "unknown_groups", "doc",
    ),
    "unknown group included": (
        swap("pyproject.toml", 'include-group = "lint"', 'include-group = "lints"'),
        "unknown_groups", "lints",
    ),
    "undeclared import": (
        add("src/net/__init__.py", "import torch\n"), "undeclared_imports", "imports torch",
    ),
    "undeclared import in a function": (
        add("src/net/__init__.py", "def a():\n    from PIL import Image\n"),
        "undeclared_imports", "imports PIL",
    ),
    "undeclared import in a notebook": (
        extra("notebooks/b.ipynb", notebook("import torch")), "undeclared_imports", "b.ipynb",
    ),
    "import of the package from a group": (
        add("src/net/__init__.py", "import pytest\n"), "undeclared_imports", "imports pytest",
    ),
    "import of a service from outside its group": (
        served("import hydra\n\nfrom ..model import Net\n\nNET = (Net, hydra)"),
        "unserved_imports", "imports hydra, which group serve",
    ),
    "import of a service through another folder": (
        served(
            "from ..inference.predictor import PARTS\n\nALL = PARTS",
            "src/net/inference/predictor.py",
        ),
        "unserved_imports", "inference/predictor.py: imports hydra, which group serve",
    ),
    "import of a service through a module of another folder": (
        served(
            "from ..inference import predictor\n\nALL = predictor",
            "src/net/inference/predictor.py",
        ),
        "unserved_imports", "inference/predictor.py: imports hydra, which group serve",
    ),
    "import of a service through the package's own name": (
        served(
            "from net.serving import payloads\n\nALL = payloads", "src/net/inference/predictor.py"
        ),
        "unserved_imports", "inference/predictor.py: imports hydra, which group serve",
    ),
    "import of a service through a module of its folder": (
        served("from . import payloads\n\nALL = payloads", "src/net/serving/payloads.py"),
        "unserved_imports", "serving/payloads.py: imports hydra, which group serve",
    ),
    "import of a service through a module of the package": (
        served("from .. import model\n\nALL = model", "src/net/model.py"),
        "unserved_imports", "net/model.py: imports hydra, which group serve",
    ),
    "import of a service through the package": (
        served("ALL = ()", "src/net/__init__.py"),
        "unserved_imports", "net/__init__.py: imports hydra, which group serve",
    ),
    "group without a module that runs with it alone": (
        swap("pyproject.toml", "[dependency-groups]\n", '[dependency-groups]\nserve = ["typer"]\n'),
        "unserved_imports", "no module of group serve is there",
    ),
    "module of the package, imported as if it were one of its own": (
        add("src/net/inference/predictor.py", "import predictor\n"),
        "undeclared_imports", "imports predictor",
    ),
    "undeclared target": (
        extra("configs/model/x.yaml", "_target_: torch.nn.Linear\nin_features: 1\n"),
        "undeclared_imports", "torch.nn.Linear",
    ),
    "unused dependency": (
        swap("pyproject.toml", '"typer"]', '"typer", "tqdm"]'), "unused_dependencies", "tqdm",
    ),
    "unused dependency of a group": (
        swap("pyproject.toml", 'lint = ["ruff"', 'lint = ["ruff", "mypy"'),
        "unused_dependencies", "mypy",
    ),
    "unused plug-in": (
        swap("pyproject.toml", '["--cov"]', '["-ra"]'), "unused_dependencies", "pytest-cov",
    ),
    # configuration
    "target that the package lacks": (
        swap("configs/model/cnn.yaml", "Net", "Cnn"), "broken_references", "net.model.Cnn",
    ),
    "target in a module that is not there": (
        swap("configs/model/cnn.yaml", "net.model", "net.models"),
        "broken_references", "net.models",
    ),
    "target that another package lacks": (
        swap("configs/model/mlp.yaml", "MLPClassifier", "MLPClasifier"),
        "missing_foreign_targets", "MLPClasifier",
    ),
    "argument that a class does not take": (
        add("configs/model/mlp.yaml", "hiden_layer_sizes: 3\n"),
        "missing_foreign_targets", "takes no hiden_layer_sizes",
    ),
    "default that is no option": (
        extra("configs/other.yaml", "defaults:\n  - model: rnn\n"), "broken_configs", "other.yaml",
    ),
    "option that does not compose": (
        extra("configs/model/x.yaml", "defaults:\n  - nothing\n"), "broken_configs", "x.yaml",
    ),
    "override of no option": (
        add("README.md", "\n`net train model=rnn`\n"), "unknown_overrides", "model=rnn",
    ),
    "override of no key": (
        add("README.md", "\n`net train model.rate=1`\n"), "unknown_overrides", "model.rate=1",
    ),
    "override alone": (add("README.md", "\n`model.rate=1`\n"), "unknown_overrides", "model.rate"),
    "override of no group": (add("README.md", "\n`data=x`\n"), "unknown_overrides", "data=x"),
    "one bad job of a sweep": (
        add("README.md", "\n`net train --multirun model=cnn,rnn`\n"), "unknown_overrides", "rnn",
    ),
    "override in a help text": (
        swap("src/net/cli.py", "train model=mlp", "train model=rnn"), "unknown_overrides", "rnn",
    ),
    "override in the editor's": (
        swap(".vscode/launch.json", "=mlp", "=rnn"), "unknown_overrides", "rnn",
    ),
    "parameter of no config": (
        swap("dvc.yaml", "- seed", "- seeds"), "unknown_parameters", "seeds",
    ),
    "parameters of no file": (
        swap("dvc.yaml", "model}.yaml", "model}.yml"), "unknown_parameters", "model/cnn.yml",
    ),
    "choice of no group": (
        swap("dvc.yaml", "[0].model", "[1].model"), "unknown_parameters", "defaults[1].model",
    ),
    # names inside the package
    "import of no module": (
        add("src/net/__init__.py", "from .data import Data\n"), "broken_imports", "net.data.Data",
    ),
    "import of no name": (
        add("src/net/cli.py", "from .model import Nets\n"), "broken_imports", "model.Nets",
    ),
    "import of no name in a test": (
        swap("tests/test_model.py", "import Net\n", "import Net, Nets\n"),
        "broken_imports", "model.Nets",
    ),
    "import of no name in a notebook": (
        extra("notebooks/b.ipynb", notebook("from net.model import Nets")),
        "broken_imports", "model.Nets",
    ),
    "reference to no class, in a recipe": (
        recipe("datasets.mine.Mine", "datasets.mine.Yours"),
        "broken_references", "net.datasets.mine.Yours",
    ),
    "import of no name, in a recipe": (
        recipe("import digits", "import letters"),
        "broken_imports", "datasets/mine.py:3: imports net.datasets.letters",
    ),
    "override of no option, in a recipe": (
        recipe("model=mine", "model=yours"),
        "unknown_overrides", "model=yours",
    ),
    "import of a wing above, in a recipe": (
        recipe("from . import digits", "from ..cli import app"),
        "wrong_direction", "cli is not below datasets",
    ),
    "reference to no class": (
        add("docs/index.md", "\n::: net.model.Nets\n"), "broken_references", "net.model.Nets",
    ),
    "reference to no method": (
        add("docs/index.md", "\n`net.model.Net.predict`\n"), "broken_references", "Net.predict",
    ),
    "entry point that is not there": (
        swap("pyproject.toml", "net.cli:app", "net.cli:main"), "broken_references", "cli.main",
    ),
    # the order of the package's folders
    "import of a wing above": (
        add("src/net/inference/predictor.py", "from ..serving.payloads import BODIES\n"),
        "wrong_direction", "serving is not below inference",
    ),
    "import of a wing above, in a function": (
        add("src/net/inference/predictor.py", "def a():\n    from ..serving import payloads\n"),
        "wrong_direction", "serving is not below inference",
    ),
    "import of a wing above, for types alone": (
        add(
            "src/net/inference/predictor.py",
            "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n"
            "    from net.serving import payloads\n",
        ),
        "wrong_direction", "serving is not below inference",
    ),
    "import of a wing above, as a whole": (
        add("src/net/inference/predictor.py", "from .. import serving\n"),
        "wrong_direction", "serving is not below inference",
    ),
    "import of a wing beside": (
        wing("networks", "from ..datasets import digits"),
        "wrong_direction", "datasets is not below networks",
    ),
    "import of the wing beside the service": (
        wing("evaluation", "from ..serving import payloads"),
        "wrong_direction", "serving is not below evaluation",
    ),
    "import of what trains, from the service": (
        lambda tree: wing("training", "")(tree).with_file(
            "src/net/serving/payloads.py",
            FILES["src/net/serving/payloads.py"] + "from ..training.part import __doc__\n",
        ),
        "wrong_direction", "training is not below serving",
    ),
    "import of the cloud, from what trains": (
        lambda tree: wing("training", "from ..cloud import part")(wing("cloud", "")(tree)),
        "wrong_direction", "cloud is not below training",
    ),
    "import of the command line, from a wing": (
        add("src/net/serving/payloads.py", "from ..cli import app\n"),
        "wrong_direction", "cli is not below serving",
    ),
    "import of a wing, from a module on the ground": (
        add("src/net/model.py", "from .datasets import digits\n"),
        "wrong_direction", "datasets is not below model",
    ),
    "import of a wing, from the package itself": (
        add("src/net/__init__.py", "from .datasets import digits\n"),
        "wrong_direction", "datasets is not below __init__",
    ),
    "wing without a place": (
        wing("helpers", ""), "wrong_direction", "net/helpers/: has no place in the order",
    ),
    "wing that imports when it is imported": (
        add("src/net/inference/__init__.py", "\nfrom .predictor import PARTS\n"),
        "busy_packages", "inference/__init__.py: holds more than a docstring",
    ),
    "wing without a docstring": (
        swap("src/net/inference/__init__.py", '"""Inference."""', "# Inference"),
        "busy_packages", "inference/__init__.py: holds more than a docstring, or none",
    ),
    "wing that is no package": (
        lambda tree: replace(
            tree.without("src/net/datasets/__init__.py").with_file(
                "src/net/inference/predictor.py", '"""Predicts."""\n\nPARTS = ()\n'
            ),
            possible=tree.possible - {"src/net/datasets/__init__.py"},
        ),
        "busy_packages", "net/datasets/: has no __init__.py",
    ),
    # containers
    "copy of no file": (
        dockerised(DOCKERFILE + "COPY LICENSE /app/\n", IGNORE),
        "leaky_contexts", "LICENSE, which is not there",
    ),
    "copy of an ignored file": (
        dockerised(DOCKERFILE + "COPY pyproject.toml uv.loc[k] ./\n", IGNORE),
        "leaky_contexts", "pyproject.toml, which .dockerignore leaves out",
    ),
    "copy of an ignored file of a pattern": (
        dockerised(DOCKERFILE + "COPY uv.loc[k] ./\n", IGNORE),
        "leaky_contexts", "uv.loc[k], which .dockerignore leaves out",
    ),
    "secrets in a build": (
        dockerised(DOCKERFILE, IGNORE.replace("*\n!src\n", "")), "leaky_contexts", "lets .env",
    ),
    "caches in a build": (
        dockerised(DOCKERFILE, "*\n!src\n"), "leaky_contexts", "__pycache__",
    ),
    "rule that lets nothing through": (
        dockerised(DOCKERFILE, IGNORE + "!LICENSE\n"), "leaky_contexts", "!LICENSE lets nothing",
    ),
    # what was not chosen
    "word of another tracker": (
        add("docs/index.md", "\nSee Weights & Biases.\n"), "traces", "Weights & Biases",
    ),
    "words of another tracker, on two lines": (
        add("docs/index.md", "\nSee Weights &\nBiases.\n"), "traces", "Weights &",
    ),
    "setting of another tracker": (extra(".env.example", "WANDB_MODE=x\n"), "traces", "WANDB"),
    "file of another tracker": (
        extra("docs/mlflow_notes.md", "# Notes\n"), "traces", "file names: holds 'mlflow'",
    ),
    "part that was declined": (add("docs/index.md", "\nOr in Docker.\n"), "traces", "Docker"),
    "command of another tracker": (
        lambda tree: replace(tree, printed="  wandb login\n"), "traces", "hook output",
    ),
    "unexplained secret": (
        extra(".github/workflows/a.yml", "a: ${{ secrets.KEY }}\n"), "unexplained_secrets", "KEY",
    ),
    "job that a workflow lacks": (
        extra(".github/workflows/a.yaml", f"{WORKFLOW}    needs: b\n"),
        "unknown_parts", "a needs b, which is no job",
    ),
    # the cloud
    "output that Terraform lacks": (
        add("README.md", "\n`terraform output -raw url`\n"), "unknown_to_terraform", "output url",
    ),
    "variable that Terraform lacks": (
        add("README.md", "\n`terraform apply -var service=true`\n"),
        "unknown_to_terraform", "variable service",
    ),
    "unexplained variable of a workflow": (
        extra(".github/workflows/a.yml", "a: ${{ vars.AWS_REGION }}\n"),
        "unset_variables", "AWS_REGION, which no page explains",
    ),
    "variable of a pipeline that Terraform does not give": (
        extra(".gitlab-ci.yml", "stages: []\nvariables:\n  A: $GCP_SERVICE_ACCOUNT\n"),
        "unset_variables", "GCP_SERVICE_ACCOUNT, which is in no output",
    ),
    "unexplained environment": (
        extra(".github/workflows/a.yaml", f"{WORKFLOW}    environment: production\n"),
        "unknown_environments", "production, which no page explains",
    ),
    "environment without a role": (
        lambda tree: add("README.md", "\nRuns in `production`.\n")(
            extra("main.tf", 'subject = "repo:a/b:environment:training"\n')(
                extra(
                    ".github/workflows/a.yaml",
                    f"{WORKFLOW}    environment: production\n"
                    "    permissions:\n      id-token: write\n",
                )(tree)
            )
        ),
        "unknown_environments", "production, which no role is for",
    ),
}  # fmt: skip


def test_a_faultless_project_has_no_findings(tmp_path: Path) -> None:
    assert findings(TREE, tmp_path) == {}


def test_a_faultless_image_has_no_findings() -> None:
    assert findings(dockerised(DOCKERFILE, IGNORE)(TREE)) == {}


def test_a_recipe_counts_as_followed() -> None:
    assert findings(recipe("", "")(TREE)) == {}


def test_a_test_may_make_any_file_and_refuse_any_class() -> None:
    made = 'FILES = "stranger.py", {"_target_": "stranger.Net"}\n'
    assert findings(add("tests/helpers.py", made)(TREE)) == {}


def test_images_may_use_what_nothing_else_in_a_project_does() -> None:
    """Read for traces only: the README of this tree does name uv."""
    tree = dockerised(DOCKERFILE, IGNORE, environment="conda")(TREE)
    found = traces(Forest.of(tree), {"environment": ["uv", "conda"]})
    assert found
    assert not any("dockerfile" in problem for problem in found)


@pytest.mark.parametrize(("fault", "check", "says"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_by_its_check_alone(
    fault: Callable[[Tree], Tree], check: str, says: str
) -> None:
    found = findings(fault(TREE))
    assert list(found) == [check], found
    assert any(says in problem for problem in found[check]), found


def test_every_check_has_a_fault_that_it_finds() -> None:
    assert {check for _, check, _ in FAULTS.values()} == set(CHECKS)


@pytest.mark.parametrize(
    ("path", "text", "rule"),
    [
        ("src/net/odd.py", '"""Odd."""\n\nx = {  "a":1 }\n', "unformatted"),
        ("src/net/odd.py", '"""Odd."""\n\nimport os\n', "F401"),
        # The baked project's own settings count, and the package is known for its own
        ("src/net/odd.py", '"""Odd."""\n\nimport sys\nimport json\n\nprint(json, sys)\n', "I001"),
        ("tests/test_odd.py", "import net.model\nimport pytest\n\nprint(net, pytest)\n", "I001"),
        ("notebooks/odd.ipynb", notebook("x = {  'a':1 }"), "unformatted"),
    ],
)
def test_ruff_finds_what_a_formatter_or_linter_would_change(
    tmp_path: Path, path: str, text: str, rule: str
) -> None:
    problems = ruff(TREE.with_file(path, text), tmp_path)
    assert len(problems) == 1
    assert path in problems[0]
    assert rule in problems[0]


def test_an_empty_file_is_found() -> None:
    tree = replace(TREE.with_file("a.txt", ""), possible=frozenset({*TREE.possible, "a.txt"}))
    assert findings(tree) == {"untidy": ["a.txt: is empty"]}


def test_a_file_is_missed_that_the_marks_leave() -> None:
    assert files(TREE, {*FILES, "infra/main.tf"}) == ["infra/main.tf: is missing"]


def test_each_table_of_modules_names_modules_of_the_template() -> None:
    """A module that moves away from its line in a table would not be checked any more."""
    marks_of_names = marks({}).pattern
    package = "src/{{cookiecutter.project_slug}}/"
    names = [marks_of_names.sub("", name) for name in template_files()]
    modules = {name.removeprefix(package) for name in names if name.startswith(package)}
    assert modules.issuperset(name for names in ALONE.values() for name in names)
    folders = {name.partition("/")[0] for name in modules if "/" in name}
    assert folders == {wing for row in ORDER for wing in row}


def test_a_merged_mapping_is_no_repeated_key() -> None:
    merged = "a: &a\n  b: 1\nc:\n  <<: *a\n  b: 2\n"
    assert texts.unparsable("a.yaml", merged) == ()
    assert texts.unparsable("a.yaml", merged + "  b: 3\n")


def test_what_belongs_in_a_project_is_no_residue() -> None:
    workflow = "run: ${{ matrix.python }}\n"
    assert texts.residue("a.yml", workflow) == []
    assert texts.residue("a.py", 'x = f"{{{value}}}"\n') == []
    assert texts.residue("a.py", "x = {'a': {}}\n") == []


def test_a_file_of_a_workflow_is_none_of_its_inputs() -> None:
    workflow = "on:\n  push: {}\njobs:\n  a:\n    steps:\n      - run: %s\n"
    path = ".github/workflows/a.yaml"
    named = TREE.with_file(path, workflow % "ls src/net/inputs.py")
    read = TREE.with_file(path, workflow % "'${{ inputs.py }}'")
    assert unknown_parts(Forest.of(named)) == {}
    assert unknown_parts(Forest.of(read)) != {}


def test_blank_lines_in_a_code_block_are_the_codes() -> None:
    fenced = "# A\n\n```python\nimport os\n\n\ndef f(): ...\n```\n"
    assert texts.untidy("a.md", fenced) == []
    assert len(texts.untidy("a.md", fenced.replace("```", "~"))) == 1


def test_an_environment_variable_is_no_override() -> None:
    for text, found in {"SERVE_PORT=9000": 0, "serve.port=9000": 1}.items():
        whole = TREE.with_file("docs/changing.md", f"`{text}`\n")
        assert len(unknown_overrides(Forest.of(whole))) == found


def test_a_page_may_name_the_files_that_it_shows_and_no_others() -> None:
    page = "`configs/model/own.yaml`:\n\n```yaml\nlr: 1\n```\n\nThen `%s`: `net train model=own`.\n"
    whole = TREE.with_file("docs/changing.md", page % "configs/model/own.yaml")
    assert dangling_paths(Forest.of(whole)) == unknown_overrides(Forest.of(whole)) == {}
    other = TREE.with_file("docs/changing.md", page % "configs/model/other.yaml")
    assert len(dangling_paths(Forest.of(other))) == 1
    unshown = TREE.with_file("docs/changing.md", page.replace("```yaml", "~~~yaml") % "a")
    assert len(unknown_overrides(Forest.of(unshown))) == 1
