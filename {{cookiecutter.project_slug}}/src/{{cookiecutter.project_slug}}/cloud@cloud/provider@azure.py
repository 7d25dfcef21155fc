{%- if cookiecutter.__deploys -%}
"""The commands of the Azure CLI that train on Azure ML and deploy to Azure Container Apps."""
{%- else -%}
"""The commands of the Azure CLI that train on Azure ML."""
{%- endif %}

import shlex
{%- if cookiecutter.docker %}
from datetime import UTC, datetime
{%- endif %}

from ..training.source import source_commit
from .shell import Command, Login, setting

# What infra/azure makes
GROUP = "{{ cookiecutter.__cloud_name }}"
WORKSPACE = "aml{{ cookiecutter.__azure_unique }}"
{%- if cookiecutter.docker %}
REGISTRY = "acr{{ cookiecutter.__azure_unique }}"
{%- endif %}
{%- if cookiecutter.docker or cookiecutter.environment == "uv" %}

GPU_INDEX = "https://download.pytorch.org/whl/cu126"
{%- endif %}

# That a token can be had is checked, since `az account show` knows those whose login has expired
LOGIN = Login(check=["az", "account", "get-access-token", "--output=none"], remedy="az login")


def train_commands(overrides: list[str], *, gpu: bool) -> list[Command]:
    """Return what starts a training job.

    Args:
        overrides: Hydra overrides.
        gpu: Whether the job runs on the cluster that has GPUs.

    Raises:
        UserError: A setting is missing.
    """
    subscription = f"--subscription={setting('AZURE_SUBSCRIPTION_ID')}"
    arguments = shlex.join(["train", *(["trainer=gpu"] if gpu else []), *overrides])
    values = [
        f"compute=azureml:{'gpu' if gpu else 'cpu'}",
        f"environment_variables.ARGUMENTS={arguments}",
    ]
{%- if cookiecutter.docker %}
    image = image_name("train", new_tag())
    values += [f"environment.image={image}"]
{%- else %}
    values += [f"environment_variables.SOURCE_COMMIT={source_commit() or ''}"]
{%- if cookiecutter.environment == "uv" %}
    if gpu:
        values += [f"environment_variables.TORCH_INDEX={GPU_INDEX}"]
{%- endif %}
{%- endif %}
    start = [
        *["az", "ml", "job", "create", subscription],
        *[f"--resource-group={GROUP}", f"--workspace-name={WORKSPACE}"],
        *["--file=infra/azure/job.yaml", *[f"--set={value}" for value in values]],
        *["--query={name: name, page: services.Studio.endpoint}", "--output=yaml"],
    ]
    return [
        Command(["az", "extension", "add", "--upgrade", "--yes", "--name=ml"]),
{%- if cookiecutter.docker %}
        build("train", image, *([f"TORCH_INDEX={GPU_INDEX}"] if gpu else [])),
        Command(["az", "acr", "login", subscription, f"--name={REGISTRY}"]),
        Command(["docker", "push", image]),
{%- endif %}
        Command(start),
    ]
{%- if cookiecutter.__deploys %}


def deploy_commands(image: str, *, push_only: bool) -> list[Command]:
    """Return what puts the model into service.

    Args:
        image: An image to take instead of building one, or nothing.
        push_only: Whether the image is for a service that is yet to be made.

    Raises:
        UserError: A setting is missing.
    """
    subscription = f"--subscription={setting('AZURE_SUBSCRIPTION_ID')}"
    name = image_name("api", "latest" if push_only else new_tag())
    take = [
        Command(["docker", "pull", "--platform=linux/amd64", image]),
        Command(["docker", "tag", image, name]),
    ]
    update = [
        *["az", "containerapp", "update", subscription],
        *[f"--resource-group={GROUP}", "--name=api", f"--image={name}"],
        *["--query=properties.configuration.ingress.fqdn", "--output=tsv"],
    ]
    return [
        *(take if image else [build("api", name)]),
        Command(["az", "acr", "login", subscription, f"--name={REGISTRY}"]),
        Command(["docker", "push", name]),
        *([] if push_only else [Command(update)]),
    ]
{%- endif %}
{%- if cookiecutter.docker %}


def image_name(kind: str, tag: str) -> str:
    """Name an image of the registry."""
    return f"{REGISTRY}.azurecr.io/{{ cookiecutter.project_slug }}-{kind}:{tag}"


def new_tag() -> str:
    """Return a tag with the commit in it that no image has: an image is updated by its name."""
    return f"{source_commit() or 'uncommitted'}-{datetime.now(UTC):%Y%m%d%H%M%S}"


def build(kind: str, name: str, *arguments: str) -> Command:
    """Return what builds an image for the machines of Azure."""
    given = [f"SOURCE_COMMIT={source_commit() or ''}", *arguments]
    return Command(
        [
            *["docker", "build", "--platform=linux/amd64", "--provenance=false"],
            *[f"--file=dockerfiles/{kind}.dockerfile", f"--tag={name}"],
            *[f"--build-arg={argument}" for argument in given],
            ".",
        ]
    )
{%- endif %}
