"""`cloud deploy`: the service's image in Cloud Run."""

from .images import build, push, registry, tag
from .provider import NAME, place
from .shell import Command


def deploy_commands(image: str, *, push_only: bool) -> list[Command]:
    """Build the service's image, push it, and let Cloud Run serve it.

    Args:
        image: An image to push instead of building one, or nothing.
        push_only: Push the first image, from which Terraform makes the service; update no service.

    Raises:
        UserError: A setting is missing.
    """
    target = f"{registry()}/api:{'latest' if push_only else tag()}"
    commands = [build("api", target)]
    if image:
        commands = [
            Command(["docker", "pull", image]),
            Command(["docker", "tag", image, target]),
        ]
    commands += push(target)
    if not push_only:
        update = ["gcloud", "run", "services", "update", NAME]
        commands.append(Command([*update, *place(), f"--image={target}"]))
    return commands
