"""A newcomer's first hour: the README's commands, word for word, in a fresh environment.

Only the source of PyTorch's CPU build is replaced: `MLBAKE_TORCH` names a folder that is an
index of it (`nox -s tests` makes it), so that the test needs no host but the package registry.
"""

import contextlib
import fcntl
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bakery import TEMPLATE, bake
from machine import in_venv, pip_settings, plain_environment, uv_settings
from own_data import write_table
from PIL import Image
from tools import serving

# Commands of the README that no test starts, each with the reason
LEFT_OUT = {
    "jupyter lab": "serves until it is stopped",
    "mlflow ui": "serves until it is stopped",
    "tensorboard --logdir": "serves until it is stopped",
    "conda env create": "conda's channels are no package registry of this suite",
    "conda activate": "there is no conda environment",
    "docker compose": "test_docker.py builds the images and runs them",
    "python -m venv": "the test has made it",
    'pytest -m "not slow"': "is a part of `pytest --cov`",
    "pytest --cov": "test_pipeline_jobs.py runs the job that does",
}
# Commands that send requests to the service while it runs
CLIENTS = ("curl ", "locust", "--group load")


def commands(readme: str) -> list[list[str]]:
    """List the command lines of each bash block."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    return [block.strip().splitlines() for block in blocks]


def make_pictures(folder: Path) -> None:
    """Paint twenty pictures, half of them darker, in two classes."""
    for number in range(20):
        path = folder / ("dark" if number % 2 else "light") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), color=(10 * number,) * 3).save(path)


def make_table(path: Path) -> None:
    """Write forty rows of two classes, with a number, a category and missing values."""
    rows = [
        [
            str(number % 7) if number % 9 else "",
            ("bay", "cliff", "dune")[number % 3],
            "wet" if number % 2 else "dry",
        ]
        for number in range(40)
    ]
    write_table(path, ["wind", "place", "column"], rows)


class Shell:
    """Runs command lines in a baked project as its user would.

    Args:
        project: The baked project.
        environment: Variables beside the ones every shell has.
        accuracy: The test accuracy that `train` reaches at least, 0 to 1.
    """

    def __init__(self, project: Path, environment: dict[str, str], accuracy: float = 0.97) -> None:
        self.project, self.least = project, accuracy
        self.environment = plain_environment() | environment
        self.log: list[str] = []

    def run(self, line: str) -> str:
        """Run one line and return its output without its errors, or note why it is left out."""
        for part, reason in LEFT_OUT.items():
            if part in line:
                self.log.append(f"left out: {line} ({reason})")
                return ""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            cwd=self.project,
            env=self.environment,
            check=False,
            text=True,
            capture_output=True,
        )
        assert done.returncode == 0, f"$ {line}\n{done.stdout}{done.stderr}"
        self.log.append(f"ran: {line}")
        return done.stdout

    @contextlib.contextmanager
    def serving(self, line: str) -> Iterator[None]:
        """Run a line that serves on port 8000, which one test at a time can have."""
        with (TEMPLATE / ".cache" / "port-8000.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            command = "bash", "-c", f"exec {line}"
            with serving(*command, port=8000, folder=self.project, **self.environment):
                self.log.append(f"ran: {line}")
                yield

    def accuracy(self, output: str) -> float:
        """Read the test accuracy out of what `train` printed."""
        return float(re.findall(r"test/accuracy ([\d.]+)", output)[-1])


def follow(shell: Shell, lines: list[str], record_property: Callable[[str, str], None]) -> None:
    """Run the lines, and check the accuracy of each training with the default settings."""
    service = contextlib.ExitStack()
    for line in lines:
        if line.endswith(f"{shell.project.name} serve"):
            service.enter_context(shell.serving(line))
            continue
        if not any(client in line for client in CLIENTS):
            service.close()
        output = shell.run(line)
        if line.endswith(f" {shell.project.name} train") or line == f"{shell.project.name} train":
            assert shell.accuracy(output) >= shell.least, output
    for entry in shell.log:
        if entry.startswith("left out"):
            record_property("measured", entry)


@pytest.mark.isolated
def test_readme_with_uv(tmp_path, torch_index, record_property) -> None:
    """A bake for tables: everything but the block that is for pip."""
    project = bake({"task": "tabular"}, tmp_path).path
    make_table(project / "path/to/table.csv")
    shell = Shell(project, uv_settings(torch_index), 0.95)
    blocks = commands((project / "README.md").read_text("utf-8"))
    lines = [
        line for block in blocks for line in block if not block[0].startswith("python -m venv")
    ]
    assert len(lines) > 15
    follow(shell, lines, record_property)
    assert (project / "reports/confusion_matrix.png").is_file()
    shell.run("git add . && git commit --quiet --message 'Start'")  # pre-commit runs here
    shell.run("uv run pre-commit run --all-files")
    assert shell.run("git status --porcelain") == ""


@pytest.mark.isolated
def test_readme_with_pip(tmp_path, torch_index, record_property) -> None:
    """A bake for texts: the block that is for pip, then the commands without `uv run`."""
    project = bake({"task": "text", "tracker": "none", "serving": "none"}, tmp_path).path
    environment = in_venv(tmp_path / "venv") | pip_settings(torch_index, tmp_path)
    shell = Shell(project, environment, 0.92)
    blocks = commands((project / "README.md").read_text("utf-8"))
    install = next(block for block in blocks if block[0].startswith("python -m venv"))
    # Without the lines that train what the others train too: texts take longer than digits
    use = [
        line.removeprefix("uv run ")
        for line in blocks[2]
        if "--multirun" not in line and "experiment=" not in line
    ]
    follow(shell, install + use + ["mypy", "ruff check"], record_property)


@pytest.mark.isolated
def test_readme_with_conda(tmp_path, torch_index, record_property) -> None:
    """A bake for images: all that follows `conda activate`, where a venv holds PyTorch."""
    answers = {"environment": "conda", "tracker": "tensorboard", "serving": "bentoml"}
    project = bake(answers, tmp_path).path
    make_pictures(project / "path/to/pictures")
    environment = in_venv(tmp_path / "venv") | pip_settings(torch_index, tmp_path)
    shell = Shell(project, environment)
    shell.run("pip install --quiet 'pip>=25.1' torch")
    blocks = commands((project / "README.md").read_text("utf-8"))
    lines = [line for block in blocks for line in block]
    follow(shell, [line for line in lines if "pytest" not in line], record_property)
