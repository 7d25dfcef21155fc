"""What the tests share: one model, trained once, and the command line in this process."""

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import example
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
{%- if cookiecutter.task == "tabular" %}
from sources import diabetes
{%- endif %}

from {{ cookiecutter.project_slug }}.cli import main

# On a busy machine, threads that wait for each other take longer than one does alone
os.environ["OMP_NUM_THREADS"] = "1"

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start each test in an empty folder, so that none touches the repository's data or models."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def configure() -> Callable[..., DictConfig]:
    """Compose a configuration, with the example's data and network unless the test names others.

    So the choices in configs/train.yaml can change without a change of what the tests know.
    """

    def composed(*overrides: str, config: str = "train") -> DictConfig:
        defaults = ["logger=csv", "run_dir=run"] if config in {"train", "describe"} else []
        if config == "evaluate":
            defaults.append("baseline=false")
        elif defaults and not any(one.startswith(("model=", "experiment=")) for one in overrides):
            defaults.append("model={{ cookiecutter.__network }}")
        if not any(override.startswith("data=") for override in overrides):
            defaults += example.OPTIONS
        with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
            return compose(config, overrides=[*defaults, *overrides])

    return composed


@pytest.fixture(scope="session")
def trained(configure, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train the default configuration in a folder of its own; tests only read what is there."""
    from {{ cookiecutter.project_slug }}.training.fit import train

    folder = tmp_path_factory.mktemp("trained")
    with contextlib.chdir(folder):
        train(configure())
    return folder


@pytest.fixture(scope="session")
{%- if cookiecutter.onnx_export %}
def model(configure, trained: Path) -> Path:
    """Export the trained checkpoint, as int8 too."""
    from {{ cookiecutter.project_slug }}.evaluation.onnx_export import export

    with contextlib.chdir(trained):
        export(configure("quantize=true", config="export"))
    return trained / "models/model.onnx"
{%- else %}
def model(trained: Path) -> Path:
    """Name the file that predictions are made with."""
    return trained / "models/model.ckpt"
{%- endif %}
{%- if cookiecutter.task == "tabular" %}


@pytest.fixture(scope="session")
def number_folder(configure, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a model whose target is a number in a folder of its own{{ ", and export it" if cookiecutter.onnx_export }}."""
{%- if cookiecutter.onnx_export %}
    from {{ cookiecutter.project_slug }}.evaluation.onnx_export import export
{%- endif %}
    from {{ cookiecutter.project_slug }}.training.fit import train

    folder = tmp_path_factory.mktemp("number")
    with contextlib.chdir(folder):
        options = diabetes()
        train(configure(*options))
{%- if cookiecutter.onnx_export %}
        export(configure(*options, "quantize=true", config="export"))
{%- endif %}
    return folder


@pytest.fixture(scope="session")
def number_model(number_folder: Path) -> Path:
    """Name the file that numbers are predicted with."""
    return number_folder / "{{ cookiecutter.__model_file }}"
{%- endif %}


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let Ctrl-C reach the processes of a test: a shell starts background jobs that ignore it."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.fixture
def cli(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run a command line in this process: its exit code, standard output and standard error."""
    handlers = list(logging.getLogger().handlers)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["{{ cookiecutter.project_slug }}", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code or 0, *capsys.readouterr()

    yield run
    for handler in set(logging.getLogger().handlers) - set(handlers):
        handler.close()
    logging.getLogger().handlers[:] = handlers
    HydraConfig.instance().cfg = None
