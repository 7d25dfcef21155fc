"""`cloud deploy`: the service's image as a function of Lambda."""

from .images import build, push, registry, tag
from .provider import NAME
from .shell import Command, setting


def deploy_commands(image: str, *, push_only: bool) -> list[Command]:
    """Build the service's image, push it, and let Lambda run it.

    Args:
        image: An image to push instead of building one, or nothing.
        push_only: Push the first image, from which Terraform makes the service; update no service.

    Raises:
        UserError: A setting is missing.
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
        update = ["aws", "lambda", "update-function-code", *function, f"--image-uri={target}"]
        wait = ["aws", "lambda", "wait", "function-updated-v2", *function]
        commands += [Command(update), Command(wait)]
    return commands
