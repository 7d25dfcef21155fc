"""Variants of a module offer one entry point, such as `train_commands`: callers must suit each.

A baked project holds one variant, so that its own type check can't compare them.
"""

import ast
from fnmatch import fnmatch

import pytest
from bakery import render, template_files

PACKAGE = "src/{{cookiecutter.project_slug}}"
CLOUD = f"{PACKAGE}/cloud@cloud"
TRACKING = f"{PACKAGE}/training"
# Google's takes fewer arguments: its service is there before the first image
DOCKER = {
    "aws": "*/deployment@aws*",
    "azure": "*/deployment@azure*",
    "gcp": "*/deployment@gcp@*@docker.py",
}


def interface(source: str) -> dict[str, str]:
    """Map each public name of a module to its parameters, its base classes or its type."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = ast.unparse(node.args)
        elif isinstance(node, ast.ClassDef):
            found[node.name] = ", ".join(ast.unparse(base) for base in node.bases)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            found[ast.unparse(node.targets[0])] = ast.unparse(node.value.func)
    return {name: value for name, value in found.items() if not name.startswith("_")}


@pytest.mark.parametrize(
    ("patterns", "name", "count"),
    [
        ([f"{CLOUD}/provider@*"], "LOGIN", 3),
        ([f"{CLOUD}/job@*"], "train_commands", 6),
        ([DOCKER["aws"], DOCKER["azure"]], "deploy_commands", 2),
        ([f"{TRACKING}/tracking@*"], "Tracking", 4),
        (
            [f"{TRACKING}/tracking@{one}.py" for one in ("comet", "mlflow", "wandb")],
            "make_logger",
            3,
        ),
    ],
    ids=["login", "cloud train", "cloud deploy", "callback", "logger"],
)
def test_variants_have_one_interface(patterns: list[str], name: str, count: int) -> None:
    files = [
        file for file in template_files() if any(fnmatch(file, pattern) for pattern in patterns)
    ]
    assert len(files) == count
    found = {file: interface(render(file, {"cloud": "gcp"}))[name] for file in files}
    assert len(set(found.values())) == 1, found


@pytest.mark.parametrize("cloud", DOCKER)
def test_the_command_gives_a_deployment_what_it_takes(cloud: str) -> None:
    (file,) = (file for file in template_files() if fnmatch(file, DOCKER[cloud]))
    taken = interface(render(file, {"cloud": cloud}))["deploy_commands"]
    (command,) = (file for file in template_files() if file.endswith("/cli.py"))
    (call,) = (
        node
        for node in ast.walk(ast.parse(render(command, {"cloud": cloud})))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "deploy_commands"
    )
    given = [ast.unparse(one) for one in call.args], [one.arg for one in call.keywords]
    assert given == (["image"], [] if cloud == "gcp" else ["push_only"])
    assert taken == ("image: str" if cloud == "gcp" else "image: str, *, push_only: bool")


def test_a_parameter_of_another_name_is_found() -> None:
    source = "def train_commands(overrides, *, gpu):\n    ..."
    assert interface(source) != interface(source.replace("gpu", "on_gpu"))
