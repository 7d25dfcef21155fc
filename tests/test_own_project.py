"""A fresh bake becomes somebody's own: own pictures, an own network, and every command on them.

The files and lines that this takes are counted: the README states them.
"""

import csv
import json
import shutil
import socket
import sys
from pathlib import Path

import pytest
from bakery import bake
from checks.recipes import RECIPE
from PIL import Image, ImageDraw
from tools import printed, run, serving

SLUG = "my_ml_project"


def paint_leaves(folder: Path) -> None:
    """Paint pictures of three shapes, of many sizes, as a camera, a scanner and a web page do."""
    for number in range(40):
        width, height = 40 + 3 * number, 90 - number
        for name in ("maple leaf", "oak", "été"):
            picture = Image.new("RGBA", (width, height), (240, 240, 235, 255))
            draw = ImageDraw.Draw(picture)
            box = (width * 0.2, height * 0.2, width * 0.8, height * 0.8)
            if name == "oak":
                draw.ellipse(box, fill=(60, 120 + number, 40))
            elif name == "été":
                draw.rectangle(box, fill=(190, 150, 30 + number))
            else:
                corners = [(box[0], box[3]), (width / 2, box[1]), (box[2], box[3])]
                draw.polygon(corners, fill=(170 + number, 40, 40))
            kind = ("png", "jpg", "webp")[number % 3]
            path = folder / name / f"{number}.{kind}"
            path.parent.mkdir(parents=True, exist_ok=True)
            (picture if kind == "png" else picture.convert("RGB")).save(path)


class Project:
    """A baked project of somebody, in git."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"PYTHONPATH": str(folder / "src")}
        self.run("git", "init", "--quiet")
        self.commit()

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

    def choose(self, group: str, old: str, new: str) -> None:
        path = self.folder / "configs/train.yaml"
        text = path.read_text("utf-8")
        assert text.count(f"- {group}: {old}\n") == 1
        path.write_text(text.replace(f"- {group}: {old}\n", f"- {group}: {new}\n"), "utf-8")


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Choose own pictures for good, which is one line in one file."""
    answers = {"tracker": "none", "cloud": "none"}
    made = Project(bake(answers, tmp_path_factory.mktemp("own")).path)
    paint_leaves(made.folder / "data/raw/pictures")
    assert made.changed() == {}  # git leaves the pictures alone
    made.choose("data", "digits", "image_folder")
    assert made.changed() == {"configs/train.yaml": 1}
    made.commit()
    return made


@pytest.mark.isolated
def test_every_command_follows_to_own_pictures(project: Project) -> None:
    project.command("train", "trainer.max_epochs=12")
    assert "120 samples of 3 x 32 x 32 pixels in 3 classes" in project.command("describe")
    project.command("evaluate")
    metrics = json.loads((project.folder / "reports/metrics.json").read_text("utf-8"))
    assert metrics["accuracy"] > 0.8
    with (project.folder / "reports/predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    pictures = project.folder / "data/raw/pictures"
    assert len(rows) == 24
    assert all((pictures / row["name"]).is_file() for row in rows)
    assert {row["true"] for row in rows} == {"maple leaf", "oak", "été"}

    project.command("export")
    answers = json.loads(project.command("predict", "--json", "--top", "3", str(pictures)))
    assert len(answers) == 120
    right = [Path(answer["name"]).parent.name == answer["label"] for answer in answers]
    assert sum(right) > 100
    project.command("compare", "current=models/model.ckpt", "checkpoint=models/model.ckpt")
    project.command("benchmark", "benchmark.seconds=0.1")


@pytest.mark.isolated
def test_own_pictures_are_kept_and_followed_by_the_pipeline(
    project: Project, tmp_path: Path
) -> None:
    project.dvc("add", "data/raw/pictures")
    project.dvc("repro")
    assert project.changed().keys() >= {"data/raw/pictures.dvc", "dvc.lock"}
    assert "data/processed/image_folder" in (project.folder / "dvc.lock").read_text("utf-8")
    assert "up to date" in project.dvc("repro")
    (project.folder / "data/raw/pictures/oak/0.png").unlink()
    project.dvc("add", "data/raw/pictures")
    assert "Running stage 'prepare'" in project.dvc("repro", "prepare")
    project.commit()

    # Another clone, such as a job of a pipeline, gets the pictures from the remote
    project.dvc("remote", "add", "--local", "--force", "--default", "shared", str(tmp_path))
    project.dvc("push")
    for folder in ("data/raw/pictures", "data/processed", ".dvc/cache"):
        shutil.rmtree(project.folder / folder)
    project.dvc("repro", "--pull", "prepare")
    assert (project.folder / "data/raw/pictures/oak/1.jpg").is_file()
    assert (project.folder / "data/processed/image_folder/meta.json").is_file()


@pytest.mark.isolated
def test_an_own_network_is_two_files_and_one_line(project: Project) -> None:
    project.commit()
    page = (project.folder / "docs/changing.md").read_text("utf-8")
    for path, text in RECIPE.findall(page):
        if "resnet" in path:
            (project.folder / path).write_text(text, encoding="utf-8")
    project.choose("model", "cnn", "resnet")
    changed = project.changed()
    network = f"src/{SLUG}/networks/resnet.py"
    assert changed.keys() == {"configs/train.yaml", "configs/model/resnet.yaml", network}
    assert changed["configs/train.yaml"] == 1
    assert changed["configs/model/resnet.yaml"] <= 4

    project.command("train", "trainer.max_epochs=3")
    project.command("evaluate")
    project.command("export")
    picture = project.folder / "data/raw/pictures/oak/3.png"
    port = free_port()
    serve, settings = (sys.executable, "-m", SLUG, "serve"), {"SERVE_PORT": str(port)}
    with serving(*serve, port=port, folder=project.folder, **project.environment, **settings):
        form = ["--form", f"file=@{picture}", f"http://127.0.0.1:{port}/predict/file"]
        [answer] = json.loads(project.run("curl", "--silent", "--fail", *form))["predictions"]
    said = json.loads(project.command("predict", "--json", str(picture)))[0]
    assert answer["label"] == said["label"]
    assert answer["probability"] == pytest.approx(said["probability"], abs=1e-3)
    contracts = "tests/networks/test_networks.py", "tests/datasets/test_datasets.py"
    report = project.run(sys.executable, "-m", "pytest", "-v", *contracts, "-k", "resnet or folder")
    assert "resnet" in report


@pytest.mark.isolated
def test_the_own_tests_pass_on_the_own_project(project: Project) -> None:
    """The decision in configs/train.yaml leaves the tests of the project on their example."""
    fast = "tests/test_cli.py", "tests/training/test_fit.py", "tests/test_notebook.py"
    project.run(sys.executable, "-m", "pytest", "-q", "-m", "not slow", *fast)
