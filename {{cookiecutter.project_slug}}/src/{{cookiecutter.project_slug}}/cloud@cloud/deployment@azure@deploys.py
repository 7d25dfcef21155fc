"""`cloud deploy`: the service's image in Azure Container Apps."""

from .images import build, image_name, push
from .provider import GROUP
from .shell import Command, setting
from .tag import new_tag


def deploy_commands(image: str, *, push_only: bool) -> list[Command]:
    """Build the service's image, push it, and let Container Apps run it.

    Args:
        image: An image to push instead of building one, by its digest, or nothing.
        push_only: Push the first image, from which Terraform makes the service; update no service.

    Raises:
        UserError: A setting is missing, or the image's digest.
    """
    target = image_name("api", "latest" if push_only else new_tag(image))
    commands = [build("api", target)]
    if image:
        commands = [
            Command(["docker", "pull", "--platform=linux/amd64", image]),
            Command(["docker", "tag", image, target]),
        ]
    commands += push(target)
    return commands if push_only else [*commands, serve_command(target)]


def serve_command(image: str) -> Command:
    """Let Container Apps run an image of the registry."""
    return Command(
        [
            *["az", "containerapp", "update"],
            f"--subscription={setting('AZURE_SUBSCRIPTION_ID')}",
            *[f"--resource-group={GROUP}", "--name=api", f"--image={image}"],
            *["--query=properties.configuration.ingress.fqdn", "--output=tsv"],
        ]
    )
