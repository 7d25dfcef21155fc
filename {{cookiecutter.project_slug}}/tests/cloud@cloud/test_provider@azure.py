import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from {{ cookiecutter.project_slug }}.cloud import provider

ROOT = Path(__file__).resolve().parents[2]
BASH = shutil.which("bash")
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
PROGRAM = """#!{python}
import json, sys
with open({log!r}, "a") as file:
    file.write(json.dumps([{name!r}, *sys.argv[1:]]) + chr(10))
sys.exit({failing!r} in sys.argv)
"""

on_posix = pytest.mark.skipif(os.name == "nt", reason="the programs are scripts")


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Make programs that record their calls, the only ones on the PATH, and read the record."""
    folder, log = tmp_path / "programs", tmp_path / "calls"
    folder.mkdir()
    log.touch()
    monkeypatch.setenv("PATH", str(folder))

    def install(*names, failing=""):
        for name in names:
            path = folder / name
            text = PROGRAM.format(python=sys.executable, log=str(log), name=name, failing=failing)
            path.write_text(text, "utf-8")
            path.chmod(0o755)
        return lambda: [json.loads(line) for line in log.read_text("utf-8").splitlines()]

    return install


def printed(output):
    return [shlex.split(line.removeprefix("$ ")) for line in output.splitlines()]


def steps(calls):
    """Shorten calls to the words that say what is done."""
    return [" ".join(word for word in call[:4] if not word.startswith("-")) for call in calls]


def values(call):
    """Read what a job is started with besides its file."""
    return dict(word.split("=", 2)[1:] for word in call if word.startswith("--set="))

{% if cookiecutter.docker %}
PROGRAMS = ["az", "docker"]
JOB_PROGRAMS = ["python"]
{%- elif cookiecutter.environment == "uv" %}
PROGRAMS = ["az"]
JOB_PROGRAMS = ["pip", "sed", "uv"]
{%- else %}
PROGRAMS = ["az"]
JOB_PROGRAMS = ["conda"]
{%- endif %}
TRAIN = [
    "az extension add",
{%- if cookiecutter.docker %}
    "docker build",
    "az acr login",
    f"docker push {provider.REGISTRY}.azurecr.io/{{ cookiecutter.project_slug }}-train",
{%- endif %}
    "az ml job create",
]
{%- if cookiecutter.__deploys %}
DEPLOY = [
    "docker build",
    "az acr login",
    f"docker push {provider.REGISTRY}.azurecr.io/{{ cookiecutter.project_slug }}-api",
    "az containerapp update",
]
{%- endif %}


def test_training_is_shown_and_not_started(cli, programs):
    calls = programs(*PROGRAMS)
    code, output, _ = cli("cloud", "train", "model=mlp", "--dry-run")
    assert code == 0
    assert calls() == []
    assert [step.partition(":")[0] for step in steps(printed(output))] == TRAIN
    start = printed(output)[-1]
    assert f"--subscription={SUBSCRIPTION}" in start
    assert "--file=infra/azure/job.yaml" in start
    assert values(start)["compute"] == "azureml:cpu"
    assert values(start)["environment_variables.ARGUMENTS"] == "train model=mlp"


def test_training_on_a_gpu(cli):
    commands = printed(cli("cloud", "train", "seed=1", "--gpu", "--dry-run")[1])
    given = values(commands[-1])
    assert given["compute"] == "azureml:gpu"
    assert given["environment_variables.ARGUMENTS"] == "train trainer=gpu seed=1"
{%- if cookiecutter.docker %}
    assert f"--build-arg=TORCH_INDEX={provider.GPU_INDEX}" in commands[1]
{%- elif cookiecutter.environment == "uv" %}
    assert given["environment_variables.TORCH_INDEX"] == provider.GPU_INDEX
{%- endif %}


@on_posix
def test_training_runs_its_commands_in_order(cli, programs):
    calls = programs(*PROGRAMS)
    assert cli("cloud", "train")[0] == 0
    login, *others = calls()
    assert login == list(provider.LOGIN.check)
    assert [step.partition(":")[0] for step in steps(others)] == TRAIN
{%- if cookiecutter.docker %}
    image = next(word for word in others[1] if word.startswith("--tag=")).removeprefix("--tag=")
    assert others[3][-1] == values(others[-1])["environment.image"] == image
{%- endif %}


@on_posix
def test_nothing_follows_a_command_that_failed(cli, programs):
    calls = programs(*PROGRAMS, failing="extension")
    code, _, error = cli("cloud", "train")
    assert (code, len(error.splitlines())) == (2, 1)
    assert steps(calls()[1:]) == ["az extension add"]
{%- if cookiecutter.__deploys %}


def test_deploying_is_shown_and_not_done(cli, programs):
    calls = programs(*PROGRAMS)
    code, output, _ = cli("cloud", "deploy", "--dry-run")
    commands = printed(output)
    assert code == 0
    assert calls() == []
    assert [step.partition(":")[0] for step in steps(commands)] == DEPLOY
    assert f"--image={commands[2][-1]}" in commands[-1]


def test_the_first_image_is_only_pushed(cli):
    commands = printed(cli("cloud", "deploy", "--push-only", "--dry-run")[1])
    assert len(commands) == 3
    assert commands[-1][-1].endswith("-api:latest")


@on_posix
def test_an_image_that_exists_is_deployed(cli, programs):
    calls = programs(*PROGRAMS)
    assert cli("cloud", "deploy", "--image=registry/image@sha256:1")[0] == 0
    pull, tag, *others = calls()[1:]
    assert pull[-1] == tag[-2] == "registry/image@sha256:1"
    assert [step.partition(":")[0] for step in steps(others)] == DEPLOY[1:]
    assert tag[-1] == others[1][-1]
{%- endif %}

{% if cookiecutter.__deploys %}
@pytest.mark.parametrize("command", ["train", "deploy"])
{%- else %}
@pytest.mark.parametrize("command", ["train"])
{%- endif %}
class TestWhatIsMissing:
    def check(self, answer, named):
        code, output, error = answer
        assert (code, output, len(error.splitlines())) == (2, "", 1)
        assert named in error

    def test_setting(self, cli, command, monkeypatch):
        monkeypatch.delenv("AZURE_SUBSCRIPTION_ID")
        self.check(cli("cloud", command, "--dry-run"), "AZURE_SUBSCRIPTION_ID")

    def test_program(self, cli, command, programs):
        programs(*PROGRAMS[1:])
        self.check(cli("cloud", command), "az is not installed")

    @on_posix
    def test_login(self, cli, command, programs):
        calls = programs(*PROGRAMS, failing="get-access-token")
        self.check(cli("cloud", command), "`az login`")
        assert len(calls()) == 1


@on_posix
@pytest.mark.parametrize("arguments", [["train"], ["train", "a.b=[8, 16]", "c='it''s'", "d=$HOME"]])
def test_the_job_gets_its_arguments_as_they_were_given(arguments, programs):
    text = (ROOT / "infra/azure/job.yaml").read_text("utf-8")
    job = OmegaConf.create(re.sub(r"\$\{\{outputs\.(\w+)\}\}", r"/outputs/\1", text))
    calls = programs(*JOB_PROGRAMS)
    subprocess.run(
        [BASH, "-c", job.command],
        env=os.environ | dict(job.environment_variables) | {"ARGUMENTS": shlex.join(arguments)},
        check=True,
    )
    words = calls()[-1]
    start = words.index("{{ cookiecutter.project_slug }}", words.index("-m"))
    assert words[start + 1 :] == [*arguments, "checkpoint=/outputs/model/model.ckpt"]


def test_terraform_makes_what_the_commands_name():
    terraform = (ROOT / "infra/azure/main.tf").read_text("utf-8")
    names = dict(re.findall(r'^  (name|unique) += "([\w-]+)"$', terraform, re.MULTILINE))
    assert names["name"] == provider.GROUP
    assert f"aml{names['unique']}" == provider.WORKSPACE
{%- if cookiecutter.docker %}
    assert f"acr{names['unique']}" == provider.REGISTRY
{%- endif %}
    assert f"account_name = dvc{names['unique']}\n" in (ROOT / ".dvc/config").read_text("utf-8")
