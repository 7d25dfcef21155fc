"""A wheel of a baked project holds its configuration: its commands work in an empty folder."""

import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest
from bakery import bake
from machine import plain_environment

ANSWERS = {"project_slug": "quartz_reader", "tracker": "none"}
BUILD = """
import sys
from hatchling.build import {kind} as build
print(build(sys.argv[1]))
"""


def build(project: Path, folder: Path, kind: str) -> zipfile.ZipFile:
    """Build what an installer asks hatchling for."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD.format(kind=kind), str(folder)],
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
    )
    return zipfile.ZipFile(folder / done.stdout.split()[-1])


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack a wheel, as an installer does; nothing else of the project is left."""
    folder = tmp_path_factory.mktemp("wheel")
    project = bake(ANSWERS, folder / "baked").path
    with build(project, folder, "build_wheel") as wheel:
        wheel.extractall(folder / "site")
    project.rename(folder / "gone")
    return folder / "site"


def command(site: Path, folder: Path, *arguments: str) -> list[str]:
    """Run a command of the wheel; return the lines that it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "quartz_reader", *arguments],
        cwd=folder,
        env=plain_environment(PYTHONPATH=str(site)),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_wheel_holds_the_configuration_and_the_package_only(unpacked: Path) -> None:
    tops = {path.name for path in unpacked.iterdir() if path.suffix != ".dist-info"}
    assert tops == {"quartz_reader"}
    assert (unpacked / "quartz_reader/configs/train.yaml").is_file()


def test_an_editable_installation_has_no_second_configuration(tmp_path: Path) -> None:
    """A copy would grow stale, and be a second package of the same name."""
    project = bake(ANSWERS, tmp_path).path
    with build(project, tmp_path, "build_editable") as wheel:
        names = [name for name in wheel.namelist() if ".dist-info/" not in name]
        assert names == ["_quartz_reader.pth"]
        assert wheel.read(names[0]).decode().split() == [str(project / "src")]


@pytest.mark.slow
def test_its_commands_work_in_an_empty_folder(unpacked: Path, tmp_path: Path) -> None:
    assert "Example" in "".join(command(unpacked, tmp_path, "train", "--help"))
    command(unpacked, tmp_path, "train", "trainer.max_epochs=1")
    command(unpacked, tmp_path, "export")
    [line] = command(unpacked, tmp_path, "predict", "data/processed/digits/samples/7.png")
    assert line.startswith("data/processed/digits/samples/7.png\t")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    service = subprocess.Popen(
        [sys.executable, "-m", "quartz_reader", "serve"],
        cwd=tmp_path,
        env=plain_environment(PYTHONPATH=str(unpacked), SERVE_PORT=str(port)),
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                url = f"http://127.0.0.1:{port}/readyz"
                with urllib.request.urlopen(url, timeout=5) as answer:
                    assert answer.status == 200
                    break
            except OSError:
                time.sleep(0.2)
        else:
            pytest.fail("the service did not get ready")
    finally:
        service.terminate()
        service.wait(30)
