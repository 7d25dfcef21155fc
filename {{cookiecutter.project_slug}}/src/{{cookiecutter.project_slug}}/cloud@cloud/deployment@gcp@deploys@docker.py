"""`cloud deploy`: the service's image in Cloud Run."""

from .images import build, new_tag, push, registry
from .provider import NAME, place
from .shell import Command


def deploy_commands(image: str, *, push_only: bool) -> list[Command]:
    """Build the service's image, push it, and let Cloud Run serve it.

    Args:
        image: An image to push instead of building one, by its digest, or nothing.
        push_only: Push the first image, from which Terraform makes the service; update no service.

    Raises:
        UserError: A setting is missing, or the image's digest.
    """
    target = f"{registry()}/api:{'latest' if push_only else new_tag(image)}"
    commands = [build("api", target)]
    if image:
        commands = [
            Command(["docker", "pull", image]),
            Command(["docker", "tag", image, target]),
        ]
    commands += push(target)
    if not push_only:
        service = [NAME, *place()]
        commands += [
            Command(["gcloud", "run", "services", "update", *service, f"--image={target}"]),
            # After a rollback, a new revision gets no requests by itself
            Command(["gcloud", "run", "services", "update-traffic", *service, "--to-latest"]),
        ]
    return commands
