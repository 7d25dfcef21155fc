"""A fresh bake becomes somebody's own: own data, an own network, and every command on them.

The files and lines that this takes are counted: the README states them.
"""

import csv
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from bakery import bake, context, read_tree
from checks.recipes import RECIPE
from own_data import paint_leaves, write_letters, write_plants
from tools import free_port, printed, run, serving

SLUG = "my_ml_project"


def ask_for_pictures(raw: Path, labels: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Give `predict` the folder; it names each picture by its path."""
    return [str(raw)], {str(raw / name): label for name, label in labels.items()}


def ask_for_letters(raw: Path, _: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Give `predict` a file with one text a line; it names each text by itself."""
    with raw.open(encoding="utf-8-sig", newline="") as file:
        lines = {" ".join(row["text"].split()): row["label"] for row in csv.DictReader(file)}
    raw.with_name("lines.txt").write_text("\n".join(lines), encoding="utf-8")
    return ["--file", str(raw.with_name("lines.txt"))], lines


def ask_for_plants(raw: Path, labels: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Give `predict` the table; it names each row by its line."""
    return [str(raw)], labels


@dataclass(frozen=True)
class Own:
    """Somebody's own data for one task.

    Attributes:
        write: Writes them to a path, and returns the class of each sample by the sample's name.
        ask: Returns the arguments of `predict` for all of them, and the class of each answer by
            the answer's name.
        described: How `describe` counts them.
        one: The options of `predict` before a file with one sample, and the lines of such a file;
            none where each sample is a file.
        more: A line that adds a sample; empty where each sample is a file.
        target: A line that names the column to predict, where it has to be named.
    """

    write: Callable[[Path], dict[str, str]]
    ask: Callable[[Path, dict[str, str]], tuple[list[str], dict[str, str]]]
    described: str
    one: tuple[list[str], list[str]]
    more: str = ""
    target: str = ""


OWN = {
    "image": Own(
        paint_leaves,
        ask_for_pictures,
        "120 samples of 3 x 32 x 32 pixels in 3 classes",
        ([], []),
    ),
    "text": Own(
        write_letters,
        ask_for_letters,
        "120 samples of at most 400 characters in 3 classes",
        (["--file"], ["We order 900 boxes, please send them by ship."]),
        more="One more order of boxes,order\n",
    ),
    "tabular": Own(
        write_plants,
        ask_for_plants,
        "120 samples of 3 columns in 3 classes",
        ([], ["found in,length,width", "field,8.1,"]),
        more="11.2,5.01,field,été\n",
        target="plant",
    ),
}


class Project:
    """A baked project of somebody, in git.

    Attributes:
        own: The data that take the place of the example.
        names: The answers that the project was baked with, and what follows from them.
        raw: Where the data lie.
        data: The name of their configuration.
        labels: The class of each sample, by the sample's name.
    """

    def __init__(self, task: str, folder: Path) -> None:
        answers = {"task": task, "tracker": "none", "cloud": "none"}
        self.own = OWN[task]
        self.names = context(answers)["cookiecutter"]
        self.folder = bake(answers, folder).path
        self.environment = {"PYTHONPATH": str(self.folder / "src")}
        self.raw = self.folder / "data/raw" / self.names["__raw"]
        self.data = self.names["__own"]
        self.run("git", "init", "--quiet")
        self.commit()
        self.labels = self.own.write(self.raw)

    def run(self, *command: str) -> str:
        done = run(*command, folder=self.folder, **self.environment)
        assert done.returncode == 0, f"{' '.join(command)}\n{printed(done)}"
        return done.stdout

    def command(self, *arguments: str) -> str:
        return self.run(sys.executable, "-m", SLUG, *arguments)

    def dvc(self, *arguments: str) -> str:
        return self.run(sys.executable, "-m", "dvc", *arguments)

    def commit(self) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--allow-empty", "--message", "Work")

    def changed(self) -> dict[str, int]:
        """Count the lines that were added or replaced since the last commit, by file."""
        self.run("git", "add", "--all")
        rows = self.run("git", "diff", "--cached", "--numstat").splitlines()
        return {path: int(added) for added, _, path in (row.split("\t") for row in rows)}

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace a line of a configuration."""
        text = (self.folder / path).read_text("utf-8")
        assert text.count(f"{old}\n") == 1
        (self.folder / path).write_text(text.replace(f"{old}\n", f"{new}\n"), "utf-8")

    def content(self) -> object:
        """Read the data: a file, or all files of a folder."""
        return read_tree(self.raw) if self.raw.is_dir() else self.raw.read_bytes()

    def one(self) -> tuple[list[str], Path]:
        """Return the arguments of `predict` for one sample, and the file that holds it."""
        options, lines = self.own.one
        file = self.raw.with_name(f"one{self.raw.suffix}")
        if lines:
            file.write_text("\n".join(lines), "utf-8")
        else:
            # A test before may have removed one
            file = next(path for name in self.labels if (path := self.raw / name).exists())
        return [*options, str(file)], file


@pytest.fixture(scope="module")
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Choose own data for good, which is one decision: a line that names them.

    A table takes another line, in another file: which column is predicted.
    """
    made = Project(request.param, tmp_path_factory.mktemp("own"))
    assert made.changed() == {}  # git leaves the data alone
    made.replace(
        "configs/train.yaml", f"  - data: {made.names['__example']}", f"  - data: {made.data}"
    )
    lines = {"configs/train.yaml": 1}
    if made.own.target:
        settings = f"configs/data/{made.data}.yaml"
        made.replace(settings, "target: null", f"target: {made.own.target}")
        lines[settings] = 1
    assert made.changed() == lines
    made.commit()
    return made


def each_task(*slow: str) -> pytest.MarkDecorator:
    """Run a test for each task; in `nox -s slow` only, what says little more about some."""
    tasks = [pytest.param(task, marks=[pytest.mark.slow] if task in slow else []) for task in OWN]
    return pytest.mark.parametrize("project", tasks, indirect=True)


@pytest.mark.isolated
@each_task()
def test_every_command_follows_to_own_data(project: Project) -> None:
    project.command("train", "trainer.max_epochs=12")
    assert project.own.described in project.command("describe")
    project.command("evaluate")
    metrics = json.loads((project.folder / "reports/metrics.json").read_text("utf-8"))
    assert metrics["accuracy"] > 0.8
    with (project.folder / "reports/predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    assert {row["true"] for row in rows} == set(project.labels.values())
    assert all(project.labels[row["name"]] == row["true"] for row in rows)

    project.command("export")
    arguments, labels = project.own.ask(project.raw, project.labels)
    answers = json.loads(project.command("predict", "--json", "--top", "3", *arguments))
    right = [labels[answer["name"]] == answer["label"] for answer in answers]
    assert (len(right), sum(right) > 100) == (len(labels), True)
    project.command("compare", "current=models/model.ckpt", "checkpoint=models/model.ckpt")
    project.command("benchmark", "benchmark.seconds=0.1")


@pytest.mark.isolated
@each_task("text")
def test_own_data_are_kept_and_followed_by_the_pipeline(project: Project, tmp_path: Path) -> None:
    raw = project.raw.relative_to(project.folder).as_posix()
    project.dvc("add", raw)
    project.dvc("repro")
    assert project.changed().keys() >= {f"{raw}.dvc", "dvc.lock"}
    assert f"data/processed/{project.data}" in (project.folder / "dvc.lock").read_text("utf-8")
    assert "up to date" in project.dvc("repro")
    if project.own.more:
        with project.raw.open("a", encoding="utf-8") as file:
            file.write(project.own.more)
    else:
        (project.raw / next(iter(project.labels))).unlink()
    project.dvc("add", raw)
    assert "Running stage 'prepare'" in project.dvc("repro", "prepare")
    project.commit()
    kept = project.content()

    # Another clone, such as a job of a pipeline, gets the data from the remote
    project.dvc("remote", "add", "--local", "--force", "--default", "shared", str(tmp_path))
    project.dvc("push")
    for folder in (raw, "data/processed", ".dvc/cache"):
        project.run("rm", "-r", folder)
    project.dvc("repro", "--pull", "prepare")
    assert project.content() == kept
    assert (project.folder / "data/processed" / project.data / "meta.json").is_file()


@pytest.mark.isolated
@each_task()
def test_an_own_network_is_two_files_and_one_line(project: Project) -> None:
    project.commit()
    page = (project.folder / "docs/changing.md").read_text("utf-8")
    recipes = dict(RECIPE.findall(page))
    (settings,) = (path for path in recipes if path.startswith("configs/model/"))
    name = Path(settings).stem
    network = f"src/{SLUG}/networks/{name}.py"
    for path in (settings, network):
        (project.folder / path).write_text(recipes[path], encoding="utf-8")
    usual = project.names["__network"]
    project.replace("configs/train.yaml", f"  - model: {usual}", f"  - model: {name}")
    changed = project.changed()
    assert changed.keys() == {"configs/train.yaml", settings, network}
    assert changed["configs/train.yaml"] == 1
    assert changed[settings] <= 5

    project.command("train", "trainer.max_epochs=3")
    project.command("evaluate")
    project.command("export")
    arguments, sample = project.one()
    port = free_port()
    serve, variables = (sys.executable, "-m", SLUG, "serve"), {"SERVE_PORT": str(port)}
    with serving(*serve, port=port, folder=project.folder, **project.environment, **variables):
        form = ["--form", f"file=@{sample}", f"http://127.0.0.1:{port}/predict/file"]
        answer = json.loads(project.run("curl", "--silent", "--fail", *form))
    [served] = answer["predictions"]
    [said] = json.loads(project.command("predict", "--json", *arguments))
    assert served["label"] == said["label"]
    assert served["probability"] == pytest.approx(said["probability"], abs=1e-3)
    contracts = "tests/networks/test_networks.py", "tests/datasets/test_datasets.py"
    which = f"{name} or {project.data}"
    report = project.run(sys.executable, "-m", "pytest", "-v", *contracts, "-k", which)
    assert name in report


@pytest.mark.isolated
@each_task("text", "tabular")
def test_the_own_tests_pass_on_the_own_project(project: Project) -> None:
    """The decision in configs/train.yaml leaves the tests of the project on their example."""
    fast = "tests/test_cli.py", "tests/training/test_fit.py", "tests/test_notebook.py"
    project.run(sys.executable, "-m", "pytest", "-q", "-m", "not slow", *fast)
