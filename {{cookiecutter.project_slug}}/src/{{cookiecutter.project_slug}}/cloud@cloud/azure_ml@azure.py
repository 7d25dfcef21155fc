"""A job of Azure ML, made from `infra/azure/job.yaml`."""

import shlex

from .provider import GROUP, WORKSPACE
from .shell import Command, setting

# The commands for Azure ML are an extension of the Azure CLI
INSTALL = Command(["az", "extension", "add", "--upgrade", "--yes", "--name=ml", "--version=2.43.0"])


def start(overrides: list[str], values: list[str], *, gpu: bool) -> Command:
    """Start a job.

    Args:
        overrides: Hydra overrides.
        values: Fields of the file and their values, such as `environment.image=...`.
        gpu: Whether the job runs on the cluster that has GPUs.

    Raises:
        UserError: A setting is missing.
    """
    arguments = shlex.join(["train", *(["trainer=gpu"] if gpu else []), *overrides])
    values = [
        f"compute=azureml:{'gpu' if gpu else 'cpu'}",
        f"environment_variables.ARGUMENTS={arguments}",
        *values,
    ]
    create = [
        *["az", "ml", "job", "create", f"--subscription={setting('AZURE_SUBSCRIPTION_ID')}"],
        *[f"--resource-group={GROUP}", f"--workspace-name={WORKSPACE}"],
        *["--file=infra/azure/job.yaml", *[f"--set={value}" for value in values]],
        *["--query={name: name, page: services.Studio.endpoint}", "--output=yaml"],
    ]
    return Command(create)
