"""`cloud rollback`: Container Apps runs an earlier image, named by its digest."""

import re

from .. import UserError
from .deployment import serve_command
from .images import REGISTRY
from .provider import GROUP
from .shell import Command, setting

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
    running = "--query=properties.template.containers[0].image"
    pushed = "--query=[].{pushed: createdTime, tag: name, digest: digest}"
    return [
        Command(
            [
                *["az", "containerapp", "show", subscription, f"--resource-group={GROUP}"],
                *["--name=api", running, "--output=tsv"],
            ]
        ),
        Command(
            [
                *["az", "acr", "repository", "show-tags", subscription, f"--name={REGISTRY}"],
                *[f"--repository={REPOSITORY}", "--detail", "--orderby=time_desc"],
                *[pushed, "--output=table"],
            ]
        ),
    ]
