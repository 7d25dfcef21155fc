"""The commands for AWS: what they show, and what they run where programs record their calls."""

import json
import re
import shlex
import sys

import pytest

NAME = "{{ cookiecutter.__cloud_name }}"
{%- if not cookiecutter.docker %}
BUCKET = "{{ cookiecutter.__bucket }}"
{%- endif %}
SETTINGS = {"AWS_ACCOUNT_ID": "123456789012", "AWS_REGION": "eu-central-1"}
{%- if cookiecutter.docker %}
REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
IMAGES = f"{REGISTRY}/{NAME}"
{%- endif %}
PROGRAM = """\
#!{python}
import os, sys
from pathlib import Path
words = " ".join([Path(__file__).name, *sys.argv[1:]])
with Path(__file__).with_name("calls").open("a") as calls:
    calls.write(words + "\\n")
sys.exit(bool(os.environ["FAILS"]) and words.startswith(os.environ["FAILS"]))
"""


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Put programs on the path that do nothing but record their calls; return the calls so far."""
    if sys.platform == "win32":
        pytest.skip("Windows can't run a script as if it were a program")
    folder = tmp_path / "bin"
    folder.mkdir()
{%- if cookiecutter.docker %}
    for name in ("aws", "docker"):
{%- else %}
    for name in ("aws", "git"):
{%- endif %}
        program = folder / name
        program.write_text(PROGRAM.format(python=sys.executable))
        program.chmod(0o755)
    (folder / "calls").touch()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("FAILS", "")

    def so_far():
        lines = (folder / "calls").read_text().splitlines()
        return [line for line in lines if not line.startswith("git describe")]

    so_far.folder = folder
    return so_far


def commands(output):
    return [shlex.split(line[2:]) for line in output.splitlines()]


def requested(command):
    """Read the training job that a command asks for."""
    assert command[:4] == ["aws", "sagemaker", "create-training-job", "--region=eu-central-1"]
    assert command[4] == "--cli-input-json"
    return json.loads(command[5])


@pytest.mark.parametrize("gpu", [False, True])
def test_a_dry_run_shows_the_training_job(cli, monkeypatch, gpu):
    monkeypatch.setenv("PATH", "")
    options = ["--gpu"] if gpu else []
    code, output, error = cli("cloud", "train", "model=mlp", "seed=1", *options, "--dry-run")
    assert (code, error) == (0, "")
    job = requested(commands(output)[-1])
    assert re.fullmatch(NAME + r"-\d{8}-\d{6}", job["TrainingJobName"])
    assert job["RoleArn"] == f"arn:aws:iam::123456789012:role/{NAME}-training"
    algorithm = job["AlgorithmSpecification"]
    words = ["model=mlp", "seed=1"]
    assert "checkpoint=/opt/ml/model/model.ckpt" in algorithm["ContainerArguments"]
    assert algorithm["ContainerArguments"][2:] == (["trainer=gpu", *words] if gpu else words)
    assert job["ResourceConfig"]["InstanceType"] == ("ml.g5.xlarge" if gpu else "ml.m5.xlarge")
{%- if cookiecutter.docker %}
    assert algorithm["TrainingImage"] == f"{IMAGES}/train:uncommitted{'-gpu' if gpu else ''}"
    assert algorithm["ContainerEntrypoint"][-1] == "train"
    assert ("/whl/cu" in output) == gpu
{%- else %}
    assert ("-gpu-" if gpu else "-cpu-") in algorithm["TrainingImage"]
    source = job["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"]
    assert commands(output)[0][-1] == source == f"s3://{BUCKET}/source/uncommitted.tar.gz"
{%- endif %}


def test_training_runs_what_a_dry_run_shows(cli, calls):
    code, output, error = cli("cloud", "train", "seed=1")
    assert (code, error) == (0, "")
    first, *ran, last = calls()
    assert first == "aws sts get-caller-identity"
{%- if cookiecutter.docker %}
    assert [line.split(" --")[0] for line in ran] == [
        "docker build",
        "aws ecr get-login-password",
        "docker login",
        f"docker push {IMAGES}/train:uncommitted",
        f"docker logout {REGISTRY}",
    ]
{%- else %}
    assert [line.split(" --")[0] for line in ran] == ["git archive", "aws s3 cp"]
{%- endif %}
    assert last == " ".join(commands(output)[-1])
{%- if cookiecutter.__deploys %}


def test_a_dry_run_shows_the_deployment(cli, monkeypatch):
    monkeypatch.setenv("PATH", "")
    code, output, error = cli("cloud", "deploy", "--dry-run")
    assert (code, error) == (0, "")
    build, *_, update, wait = commands(output.replace(" | ", "\n$ "))
    assert "--file=dockerfiles/lambda.dockerfile" in build
    assert f"--image-uri={IMAGES}/service:uncommitted" in update
    assert wait[:4] == ["aws", "lambda", "wait", "function-updated-v2"]


def test_deploying_runs_what_a_dry_run_shows(cli, calls):
    assert cli("cloud", "deploy")[0] == 0
    assert [line.split(" --")[0] for line in calls()] == [
        "aws sts get-caller-identity",
        "docker build",
        "aws ecr get-login-password",
        "docker login",
        f"docker push {IMAGES}/service:uncommitted",
        f"docker logout {REGISTRY}",
        "aws lambda update-function-code",
        "aws lambda wait function-updated-v2",
    ]


def test_an_image_is_pushed_instead_of_built(cli, calls):
    assert cli("cloud", "deploy", "--image=registry.test/image@sha256:1", "--push-only")[0] == 0
    assert [line.split(" --")[0] for line in calls()] == [
        "aws sts get-caller-identity",
        "docker pull",
        f"docker tag registry.test/image@sha256:1 {IMAGES}/service:latest",
        "aws ecr get-login-password",
        "docker login",
        f"docker push {IMAGES}/service:latest",
        f"docker logout {REGISTRY}",
    ]
{%- endif %}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_missing_setting_is_named(cli, monkeypatch, name):
    monkeypatch.setenv(name, "")
    code, output, error = cli("cloud", "train", "--dry-run")
    assert (code, output, len(error.splitlines())) == (2, "", 1)
    assert name in error


def test_a_missing_program_is_named_before_anything_is_started(cli, calls):
    (calls.folder / "aws").unlink()
    code, output, error = cli("cloud", "train")
    assert (code, output, len(error.splitlines())) == (2, "", 1)
    assert "aws is not installed" in error
    assert calls() == []


def test_who_is_not_logged_in_is_told_how_to(cli, calls, monkeypatch):
    monkeypatch.setenv("FAILS", "aws sts")
    code, output, error = cli("cloud", "train")
    assert (code, output, len(error.splitlines())) == (2, "", 1)
    assert "`aws sso login`" in error
    assert calls() == ["aws sts get-caller-identity"]


def test_nothing_follows_a_command_that_fails(cli, calls, monkeypatch):
{%- if cookiecutter.docker %}
    failing = "docker push"
{%- else %}
    failing = "aws s3 cp"
{%- endif %}
    monkeypatch.setenv("FAILS", failing)
    code, _, error = cli("cloud", "train")
    assert (code, len(error.splitlines())) == (2, 1)
    assert "failed with exit status 1" in error
    assert calls()[-1].startswith(failing)
