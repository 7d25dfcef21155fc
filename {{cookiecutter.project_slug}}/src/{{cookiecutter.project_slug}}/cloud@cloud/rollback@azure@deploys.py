"""`cloud rollback`: Container Apps runs an earlier image, named by its digest."""

import re

from .. import UserError
from .deployment import serve_command
from .images import REGISTRY
from .provider import GROUP
from .shell import Command, printed, setting

REPOSITORY = "{{ cookiecutter.project_slug }}-api"


def rollback_commands(to: str) -> list[Command]:
    """Let Container Apps run an earlier image; without one, show what runs, and list all images.

    Args:
        to: Digest of the image, or nothing.

    Raises:
        UserError: A setting is missing, or `to` is no digest.
    """
    if to:
        if not re.fullmatch("sha256:[0-9a-f]{64}", to):
            raise UserError(f"--to {to}: name a digest, which begins with sha256:")
        return [serve_command(f"{REGISTRY}.azurecr.io/{REPOSITORY}@{to}")]
    subscription = f"--subscription={setting('AZURE_SUBSCRIPTION_ID')}"
    pushed = "--query=[].{pushed: createdTime, tag: name, digest: digest}"
    return [
        Command(running()),
        Command(
            [
                *["az", "acr", "repository", "show-tags", subscription, f"--name={REGISTRY}"],
                *[f"--repository={REPOSITORY}", "--detail", "--orderby=time_desc"],
                *[pushed, "--output=table"],
            ]
        ),
    ]


def return_commands() -> list[Command]:
    """Make the command that returns to what is in service now.

    Raises:
        UserError: A setting is missing, or there is no service.
    """
    return [serve_command(printed(running()))]


def running() -> list[str]:
    """Return the words that ask for the image which Container Apps runs."""
    return [
        *["az", "containerapp", "show", f"--subscription={setting('AZURE_SUBSCRIPTION_ID')}"],
        *[f"--resource-group={GROUP}", "--name=api"],
        *["--query=properties.template.containers[0].image", "--output=tsv"],
    ]
