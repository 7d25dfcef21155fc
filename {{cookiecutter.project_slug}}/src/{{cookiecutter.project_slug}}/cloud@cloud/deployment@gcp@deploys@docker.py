"""`cloud deploy`: the service's image in Cloud Run."""

from .images import build, push, registry
from .provider import NAME, place
from .shell import Command
from .tag import new_tag


def deploy_commands(image: str) -> list[Command]:
    """Build the service's image, push it, and let Cloud Run serve it.

    Args:
        image: An image to push instead of building one, by its digest, or nothing.

    Raises:
        UserError: A setting is missing, or the image's digest.
    """
    target = f"{registry()}/api:{new_tag(image)}"
    commands = [build("api", target)]
    if image:
        commands = [
            Command(["docker", "pull", image]),
            Command(["docker", "tag", image, target]),
        ]
    service = [NAME, *place()]
    return [
        *commands,
        *push(target),
        Command(["gcloud", "run", "services", "update", *service, f"--image={target}"]),
        # After a rollback, a new revision gets no requests by itself
        Command(["gcloud", "run", "services", "update-traffic", *service, "--to-latest"]),
    ]
