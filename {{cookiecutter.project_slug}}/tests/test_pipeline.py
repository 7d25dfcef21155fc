"""The DVC pipeline: which stages run again after a change, and which files a remote returns."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import example
import pytest

pytest.importorskip("dvc", reason="DVC is not installed: install the `dvc` dependency group")
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]


def run(folder: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def dvc(folder: Path, *arguments: str) -> str:
    return run(folder, sys.executable, "-m", "dvc", *arguments)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone whose pipeline has run."""
    folder = tmp_path_factory.mktemp("pipeline") / "project"
    folder.mkdir()
    for name in (".dvc", "configs", "src"):
        ignored = shutil.ignore_patterns("cache", "tmp", "config.local", "__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    (folder / "data/raw").mkdir(parents=True)
    for name in (".dvcignore", ".gitignore", "data/raw/README.md", "dvc.yaml"):
        shutil.copy(ROOT / name, folder / name)
    settings = folder / "configs/train.yaml"
    chosen = f"- data: {example.OPTIONS[0].removeprefix('data=')}\n"
    settings.write_text(re.sub(r"- data: \w+\n", chosen, settings.read_text("utf-8")), "utf-8")
    data = folder / f"configs/data/{chosen.rsplit(maxsplit=1)[-1]}.yaml"
    for option in example.OPTIONS[1:]:
        key, _, value = option.removeprefix("data.").partition("=")
        line = re.compile(rf"^{key}: .*$", re.MULTILINE)
        data.write_text(line.sub(f"{key}: {value}", data.read_text("utf-8")), "utf-8")
    trainer = folder / "configs/trainer/cpu.yaml"
    trainer.write_text(trainer.read_text("utf-8").replace("max_epochs: 30", "max_epochs: 2"))
    run(folder, "git", "init", "--quiet")
    dvc(folder, "repro")
    return folder


def test_a_second_run_has_nothing_to_do(project: Path) -> None:
    assert "Data and pipelines are up to date" in dvc(project, "repro")


def test_metrics_and_figures_are_there(project: Path) -> None:
    assert "accuracy" in dvc(project, "metrics", "show")
    assert (project / "reports/confusion_matrix.png").is_file()
    assert (project / "reports/learning_curves.png").is_file()


def test_a_remote_returns_the_pushed_files(project: Path, tmp_path: Path) -> None:
    checkpoint = project / "models/model.ckpt"
    content = checkpoint.read_bytes()
    remote = str(tmp_path / "remote")
    dvc(project, "remote", "add", "--local", "--force", "--default", "backup", remote)
    dvc(project, "push")
    checkpoint.unlink()
    (project / ".dvc/cache").rename(tmp_path / "cache")
    dvc(project, "pull")
    assert checkpoint.read_bytes() == content


def test_a_new_learning_rate_trains_again_but_keeps_the_data(project: Path) -> None:
    optimizer = project / "configs/optimizer/adam.yaml"
    optimizer.write_text(optimizer.read_text("utf-8").replace("lr: 0.003", "lr: 0.01"))
    output = dvc(project, "repro", "train")
    assert "Stage 'prepare' didn't change, skipping" in output
    assert "Running stage 'train'" in output
    assert "models/model.ckpt" in dvc(project, "status", "evaluate")
