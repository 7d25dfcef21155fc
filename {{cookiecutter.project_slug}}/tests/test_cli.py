import io
import json
import os
import subprocess
import sys
from pathlib import Path

import example
import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.cli import MODEL, app

COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands]

IMPORTS = """
import sys
from {{ cookiecutter.project_slug }}.cli import main
try:
    main()
finally:
    print("IMPORTED", *sys.modules)
"""


@pytest.fixture
def sample(trained):
    return str(trained / example.SAMPLE)


@pytest.fixture
def trained_model(model):
    return f"--model={model}"


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["train", "--cfg", "job"]])
def test_help_and_configuration_import_nothing_heavy(arguments):
    package = Path(sys.modules[UserError.__module__].__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, *arguments],
        env=os.environ | {"PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stdout.partition("IMPORTED")[2].split())
    assert "typer" in imported
    assert not imported & {"torch", "pytorch_lightning", "sklearn", "matplotlib", "numpy"}


def test_help_lists_the_commands(cli):
    code, output, _ = cli("--help")
    assert code == 0
    assert all(command in output for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_an_example(cli, command):
    code, output, _ = cli(command, "--help")
    assert code == 0
    assert f"{{ cookiecutter.project_slug }} {command}" in output.split("Example", 1)[1]


def test_overrides_reach_the_configuration(cli):
    code, output, _ = cli("train", "model.optimizer.lr=0.125", "model={{ cookiecutter.__other_network }}", "--cfg", "job")
    assert code == 0
    assert "lr: 0.125" in output
    assert "networks.{{ cookiecutter.__other_network }}." in output


@pytest.mark.parametrize(
    ("command", "kind"),
    [("prepare", "run"), ("train", "run"), ("train", "sweep"), ("evaluate", "run")],
)
def test_commands_of_the_same_second_have_folders_of_their_own(cli, command, kind):
    show = "--cfg", "hydra", "--resolve", "--package", f"hydra.{kind}.dir"
    folders = [cli(command, *show)[1] for _ in range(3)]
    assert len(set(folders)) == 3, folders
    assert folders == sorted(folders)


def test_each_step_reads_what_the_one_before_wrote(cli):
    code, output, _ = cli("prepare", *example.OPTIONS)
    assert code == 0
    assert f"{len(example.CLASSES)} classes" in output
    assert cli("train", *example.OPTIONS, "trainer.max_epochs=3", "logger=csv")[0] == 0
    code, output, _ = cli("evaluate")
    assert code == 0
    metrics = json.loads(Path("reports/metrics.json").read_text("utf-8"))
    assert f"{metrics['accuracy']:.4f}" in output
{%- if cookiecutter.onnx_export %}
    assert cli("export")[0] == 0
{%- endif %}
    code, output, _ = cli("predict", *example.FILE, example.SAMPLE)
    assert code == 0
    name, label, probability = output.split("\t")
    assert name
    assert label in example.CLASSES
    assert 0 < float(probability) <= 1


def test_json_holds_what_is_printed_plainly(cli, trained_model, sample):
    plain = cli("predict", trained_model, *example.FILE, sample)[1].splitlines()
    answers = json.loads(cli("predict", "--json", trained_model, *example.FILE, sample)[1])
    assert len(answers) == 1
    assert plain == [f"{row['name']}\t{row['label']}\t{row['probability']:.4f}" for row in answers]


def test_a_terminal_is_shown_a_table(cli, trained_model, sample, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    output = cli("predict", trained_model, *example.FILE, sample)[1]
    assert "probability" in output
    assert "%" in output


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["predict", *example.FILE, "sample"], MODEL.as_posix()),
{%- if cookiecutter.onnx_export %}
        (["export"], "models/model.ckpt"),
        (["benchmark"], "models/model.ckpt"),
{%- endif %}
        (["evaluate"], "models/model.ckpt"),
        (["compare"], "current"),
        (["compare", "current=models/model.ckpt"], "models/model.ckpt"),
        (["describe", *example.OPTIONS, "data.val_fraction=2"], "val_fraction"),
        (["evaluate", "data=mnist"], "mnist"),
        (["train", "trainer.epochs=3"], "epochs"),
        (["train", "model=perceiver"], "perceiver"),
        (["train", "model.network.hidden=[8"], "[8"),
        (["train", *example.OPTIONS, "resume=nowhere.ckpt"], "nowhere.ckpt"),
        (["train", *example.OPTIONS, "logger=csv", "model.optimizer.name=Adamm"], "Adamm"),
        (["train", *example.OPTIONS, "logger=csv", "~model.network._target_"], "_target_ is None"),
        (["train", *example.OPTIONS, "logger=csv", "trainer.precision=7"], "7"),
        (["train", "data={{ cookiecutter.__own }}"], "data.source"),
        (["prepare", "data={{ cookiecutter.__own }}", "data.source=nowhere"], "nowhere"),
        (["prepare", *example.OPTIONS, "data.val_fraction=2"], "val_fraction"),
    ],
)
def test_an_error_that_the_user_can_fix_is_one_line(cli, arguments, named):
    code, output, error = cli(*arguments)
    assert code == 2
    assert named in error.replace("\\", "/")
    assert len(error.splitlines()) == 1
    assert "Traceback" not in output + error


@pytest.mark.parametrize("top", ["0", "-1"])
def test_a_number_of_classes_below_one_is_named(cli, trained_model, sample, top):
    code, output, error = cli("predict", f"--top={top}", trained_model, sample)
    assert (code, output, len(error.splitlines())) == (2, "", 1)
    assert f"--top {top}" in error


@pytest.mark.parametrize("command", [["predict", "{}"], ["train", "--config-dir={}"]])
def test_a_console_that_cannot_show_a_name_gets_it_escaped(cli, command, monkeypatch):
    for name in ("stdout", "stderr"):
        stream = io.TextIOWrapper(io.BytesIO(), "ascii", write_through=True)
        monkeypatch.setattr(sys, name, stream)
    code, _, _ = cli(*(word.format("caf\u00e9") for word in command))
    assert code == 2
    assert b"Error: " in sys.stderr.buffer.getvalue()
