"""`cloud rollback`: Lambda runs an earlier image, named by its digest."""

import re

from .. import UserError
from .deployment import serve_commands
from .images import registry
from .provider import NAME
from .shell import Command, printed, setting

# The image that was pushed last comes first
LISTED = "reverse(sort_by(imageDetails,&imagePushedAt))[].[imagePushedAt,imageTags[0],imageDigest]"


def rollback_commands(to: str) -> list[Command]:
    """Let Lambda run an earlier image; without one, show what runs, and list all images.

    Args:
        to: Digest of the image, or nothing.

    Raises:
        UserError: A setting is missing, or `to` is no digest.
    """
    if to:
        if not re.fullmatch("sha256:[0-9a-f]{64}", to):
            raise UserError(f"--to {to}: name a digest, which begins with sha256:")
        return serve_commands(f"{registry()}/{NAME}/service@{to}")
    region = f"--region={setting('AWS_REGION')}"
    pushed = [f"--repository-name={NAME}/service", f"--query={LISTED}", "--output=table"]
    return [
        Command(running()),
        Command(["aws", "ecr", "describe-images", region, *pushed]),
    ]


def return_commands() -> list[Command]:
    """Make the commands that return to what is in service now.

    Raises:
        UserError: A setting is missing, or there is no service.
    """
    return rollback_commands(printed(running()).partition("@")[2])


def running() -> list[str]:
    """Return the words that ask for the image which Lambda runs."""
    function = [f"--region={setting('AWS_REGION')}", f"--function-name={NAME}"]
    query = ["--query=Code.ResolvedImageUri", "--output=text"]
    return ["aws", "lambda", "get-function", *function, *query]
