"""`cloud deploy`: the service's image as a function of Lambda."""

from .images import build, push, registry
from .provider import NAME
from .shell import Command, setting
from .tag import new_tag


def deploy_commands(image: str, *, push_only: bool) -> list[Command]:
    """Build the service's image, push it, and let Lambda run it.

    Args:
        image: An image to push instead of building one, by its digest, or nothing.
        push_only: Push the first image, from which Terraform makes the service; update no service.

    Raises:
        UserError: A setting is missing, or the image's digest.
    """
    target = f"{registry()}/{NAME}/service:{'latest' if push_only else new_tag(image)}"
    commands = [build("lambda", target)]
    if image:
        commands = [
            Command(["docker", "pull", "--platform=linux/amd64", image]),
            Command(["docker", "tag", image, target]),
        ]
    commands += push(target)
    return commands if push_only else [*commands, *serve_commands(target)]


def serve_commands(image: str) -> list[Command]:
    """Let Lambda run an image of the registry, and wait until it does."""
    function = [f"--region={setting('AWS_REGION')}", f"--function-name={NAME}"]
    return [
        Command(["aws", "lambda", "update-function-code", *function, f"--image-uri={image}"]),
        Command(["aws", "lambda", "wait", "function-updated-v2", *function]),
    ]
