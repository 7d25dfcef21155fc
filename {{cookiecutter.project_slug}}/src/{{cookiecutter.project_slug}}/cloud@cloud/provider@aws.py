{%- if cookiecutter.__deploys -%}
"""The command lines that train on SageMaker and deploy to Lambda; `shell.py` runs them."""
{%- else -%}
"""The command lines that train on SageMaker; `shell.py` runs them."""
{%- endif %}

import json
from datetime import UTC, datetime
from pathlib import Path

from ..training.source import source_commit
from .shell import Command, Login, setting

NAME = "{{ cookiecutter.__cloud_name }}"
BUCKET = "{{ cookiecutter.__bucket }}"
JOB = Path(__file__).resolve().parents[3] / "infra/aws/sagemaker.json"
GPU = "ml.g5.xlarge"
LOGIN = Login(["aws", "sts", "get-caller-identity"], "aws sso login")
{%- if cookiecutter.docker %}

# SageMaker hands its folders to root
TRAIN = ["--build-arg=RUN_AS=0:0"]
# What a training image gets for a GPU; without one it gets the default of its Dockerfile
CUDA = ["--build-arg=TORCH_INDEX=https://download.pytorch.org/whl/cu126"]
{%- else %}

# Amazon's image of PyTorch; a region that accounts have to enable keeps it in another account
IMAGE = "763104351884.dkr.ecr.{region}.amazonaws.com/pytorch-training:{tag}"
CPU_TAG = "2.10.0-cpu-py313-ubuntu22.04-sagemaker"
GPU_TAG = "2.10.0-gpu-py313-cu130-ubuntu22.04-sagemaker"
{%- endif %}


def train_commands(overrides: list[str], *, gpu: bool) -> list[Command]:
{%- if cookiecutter.docker %}
    """Build and push the training image, and start a job of SageMaker with it."""
    image = f"{registry()}/{NAME}/train:{tag()}{'-gpu' if gpu else ''}"
    return [
        build("train", image, *TRAIN, *(CUDA if gpu else [])),
        *push(image),
        start(image, overrides, gpu=gpu),
    ]
{%- else %}
    """Upload the source that is committed, and start a job of SageMaker with it."""
    region = setting("AWS_REGION")
    image = IMAGE.format(region=region, tag=GPU_TAG if gpu else CPU_TAG)
    return [
        Command(
            ["aws", "s3", "cp", f"--region={region}", "-", source()],
            fed_by=["git", "archive", "--format=tar.gz", "HEAD"],
        ),
        start(image, overrides, gpu=gpu),
    ]
{%- endif %}


def start(image: str, overrides: list[str], *, gpu: bool) -> Command:
    """Start the job that `infra/aws/sagemaker.json` describes, with what it leaves open."""
    job = json.loads(JOB.read_text("utf-8"))
    job["TrainingJobName"] = f"{NAME}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    job["RoleArn"] = f"arn:aws:iam::{setting('AWS_ACCOUNT_ID')}:role/{NAME}-training"
    job["OutputDataConfig"] = {"S3OutputPath": f"s3://{BUCKET}/training"}
{%- if not cookiecutter.docker %}
    job["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = source()
    job.setdefault("Environment", {})["SOURCE_COMMIT"] = commit()
{%- endif %}
    job["AlgorithmSpecification"]["TrainingImage"] = image
    if gpu:
        job["ResourceConfig"]["InstanceType"] = GPU
        overrides = ["trainer=gpu", *overrides]
    job["AlgorithmSpecification"]["ContainerArguments"] += overrides
    request = ["create-training-job", f"--region={setting('AWS_REGION')}"]
    return Command(["aws", "sagemaker", *request, "--cli-input-json", json.dumps(job)])
{%- if cookiecutter.__deploys %}


def deploy_commands(image: str, *, push_only: bool) -> list[Command]:
    """Build the service's image, push it, and let Lambda run it.

    Args:
        image: An image to push instead of building one.
        push_only: Push the image from which the service is created, and change no service.
    """
    target = f"{registry()}/{NAME}/service:{'latest' if push_only else tag()}"
    commands = [build("lambda", target)]
    if image:
        commands = [
            Command(["docker", "pull", "--platform=linux/amd64", image]),
            Command(["docker", "tag", image, target]),
        ]
    commands += push(target)
    if not push_only:
        function = [f"--region={setting('AWS_REGION')}", f"--function-name={NAME}"]
        commands += [
            Command(
                ["aws", "lambda", "update-function-code", *function, f"--image-uri={target}"],
            ),
            Command(["aws", "lambda", "wait", "function-updated-v2", *function]),
        ]
    return commands
{%- endif %}
{%- if cookiecutter.docker %}


def build(name: str, image: str, *options: str) -> Command:
    """Build one of the project's images, without the attestations that Lambda can't read."""
    platform = ["--platform=linux/amd64", "--provenance=false", "--sbom=false"]
    files = [f"--file=dockerfiles/{name}.dockerfile", f"--tag={image}"]
    commit = f"--build-arg=SOURCE_COMMIT={source_commit() or ''}"
    return Command(["docker", "build", *platform, *files, commit, *options, "."])


def push(image: str) -> list[Command]:
    """Push an image, logged in for as long as that takes."""
    host = registry()
    return [
        Command(
            ["docker", "login", "--username=AWS", "--password-stdin", host],
            fed_by=["aws", "ecr", "get-login-password", f"--region={setting('AWS_REGION')}"],
        ),
        Command(["docker", "push", image]),
        Command(["docker", "logout", host]),
    ]


def registry() -> str:
    """Name the host of the account's registry."""
    return f"{setting('AWS_ACCOUNT_ID')}.dkr.ecr.{setting('AWS_REGION')}.amazonaws.com"


def tag() -> str:
    """Name an image after the source in it."""
    return source_commit() or "uncommitted"
{%- else %}


def commit() -> str:
    """Name the source that is uploaded: what is committed, whatever has changed since."""
    return (source_commit() or "uncommitted").removesuffix("-dirty")


def source() -> str:
    """Name the place of the uploaded source."""
    return f"s3://{BUCKET}/source/{commit()}.tar.gz"
{%- endif %}
