"""A wrong configuration is one line that says what to do; a mistake in the code is a traceback."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import example
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import {{ cookiecutter.project_slug }}
from {{ cookiecutter.project_slug }}.config_errors import as_text, expand_home, wrong_types
from {{ cookiecutter.project_slug }}.datasets import preparation

# Folders that people have; Hydra reads some of them, and refuses the others
NAMES = ["caf\u00e9", "\u624b", "it's", 'a"b', "a#b", "a b", " a ", "a,b", "a[b", "a]b", "a=b"]
NAMES += ["a$b", "a{b", "${a}", "a(b", "C:\\new folder\\", "2024", "1e3", "true", "null", "~/pics"]
PASTED = ["caf\u00e9", "~/pics", "it's", "a#b", "a,b", "a[b", "2024", "true"]
MISTAKES = [TypeError("bug"), KeyError("bug"), ValueError("bug"), OSError("bug")]


def composed(override):
    configs = Path(__file__).resolve().parents[1] / "configs"
    with initialize_config_dir(str(configs), version_base="1.3"):
        return compose("train", overrides=["data={{ cookiecutter.__own }}", override])


@pytest.mark.skipif(os.name == "nt", reason="splits as other shells do")
@pytest.mark.parametrize("name", NAMES)
def test_text_that_is_written_as_the_message_says_is_read_as_it_is(name):
    [override] = shlex.split(as_text("data.source", name))
    assert composed(override).data.source == name


@pytest.mark.skipif(os.name == "nt", reason="splits as other shells do")
@pytest.mark.parametrize("name", PASTED)
def test_what_the_message_suggests_can_be_pasted(cli, name):
    code, _, error = cli("prepare", "data={{ cookiecutter.__own }}", f"data.source={name}")
    assert code == 2
    assert len(error.splitlines()) == 1
    [override] = shlex.split(re.search(r"'data\.source=.*?\"'(?=$|,)", error.strip())[0])
    code, _, error = cli("prepare", "data={{ cookiecutter.__own }}", override)
    assert code == 2
    assert str(Path(name).expanduser()) in error


def test_home_is_expanded_wherever_a_value_starts_with_it(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("USERPROFILE", "/home/ada")
    cfg = OmegaConf.create(
        {"a": "~/x", "b": ["~", "a~", {"c": "~/y"}], "d": "???", "e": "${a}", "f": None, "g": "~/"}
    )
    expand_home(cfg)
    assert Path(cfg.a) == Path("/home/ada/x")
    assert Path(cfg.e) == Path("/home/ada/x")
    assert [Path(cfg.b[0]), cfg.b[1]] == [Path("/home/ada"), "a~"]
    assert Path(cfg.b[2].c) == Path("/home/ada/y")
    assert OmegaConf.is_missing(cfg, "d")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["data.source="], "data.source="),
        (["data.source"], "data.source"),
        (["--nonsense"], "--nonsense"),
        (["--cfg", "nonsense"], "nonsense"),
        (["--config-name", "nonsense"], "nonsense"),
        (["--config-dir", "nonsense"], "nonsense"),
        (["modle={{ cookiecutter.__network }}"], "modle"),
        (["experiment=nonsense"], "nonsense"),
        (["+data.colour=red"], "colour"),
        (["data.folder=${oc.env:NOWHERE}"], "NOWHERE"),
        (["hydra.run.dir=file/run"], "file/run"),
        (["data.folder=file/data"], "file/data"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(cli, arguments, named):
    Path("file").touch()
    code, output, error = cli("prepare", *arguments)
    assert code == 2
    assert named in error.replace("\\", "/")
    assert (len(error.splitlines()), output) == (1, "")


def test_a_broken_yaml_file_is_named_with_its_line(cli):
    folder = Path("own", "experiment")
    folder.mkdir(parents=True)
    text = "# @package _global_\nseed: [1\n"
    (folder / "mine").with_suffix(".yaml").write_text(text, encoding="utf-8")
    code, _, error = cli("prepare", "--config-dir", "own", "experiment=mine")
    assert code == 2
    assert ", line 3: " in error
    assert len(error.splitlines()) == 1


def test_options_stand_anywhere(cli):
    code, output, _ = cli("train", "seed=1", "--cfg", "job", "data.batch_size=3")
    assert code == 0
    assert "seed: 1" in output
    assert "batch_size: 3" in output


@pytest.mark.parametrize("error", MISTAKES)
def test_a_mistake_in_the_code_keeps_its_traceback(monkeypatch, error):
    def broken(cfg):
        raise error

    monkeypatch.setattr(preparation, "prepare", broken)
    monkeypatch.setattr(sys, "argv", ["command", "prepare", *example.OPTIONS])
    with pytest.raises(type(error), match="bug"):
        {{ cookiecutter.project_slug }}.cli.main()


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("data.batch_size=many", 'data.batch_size is "many", but has to be a whole number'),
        ("data.val_fraction=true", "data.val_fraction is true, but has to be a number"),
        ("data.source=7", "data.source is 7, but has to be text: write "),
    ],
)
def test_a_value_of_a_wrong_type_is_named(override, line):
    [found] = wrong_types(composed(override))
    assert found.startswith(line)


def test_the_types_of_all_settings_are_right():
    assert list(wrong_types(composed("data.source=files"))) == []


@pytest.mark.parametrize("error", [BrokenPipeError(), KeyboardInterrupt()])
def test_a_reader_that_leaves_and_ctrl_c_are_no_mistakes(cli, monkeypatch, error):
    def stopped(cfg):
        raise error

    monkeypatch.setattr(preparation, "prepare", stopped)
    with Path("output").open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        code, output, problem = cli("prepare", *example.OPTIONS)
    assert code == (130 if isinstance(error, KeyboardInterrupt) else 1)
    assert output + problem == ""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("seconds", [0.7, 1.5, 2.5])
def test_ctrl_c_while_it_starts_says_nothing(ctrl_c, seconds):
    package = Path({{ cookiecutter.project_slug }}.__file__).parent
    run = subprocess.Popen(
        [sys.executable, "-m", package.name, "train", *example.OPTIONS, "logger=csv"],
        env=os.environ | {"PYTHONPATH": str(package.parent)},
        stderr=subprocess.PIPE,
    )
    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(seconds)
    run.send_signal(signal.SIGINT)
    assert b"Traceback" not in run.communicate()[1]
    assert run.returncode in {130, -signal.SIGINT}
