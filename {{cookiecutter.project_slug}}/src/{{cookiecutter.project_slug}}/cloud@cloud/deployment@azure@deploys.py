"""`cloud deploy`: the service's image in Azure Container Apps."""

from .images import build, image_name, new_name, push
from .provider import GROUP
from .shell import Command, setting


def deploy_commands(image: str, *, push_only: bool) -> list[Command]:
    """Build the service's image, push it, and let Container Apps run it.

    Args:
        image: An image to push instead of building one, or nothing.
        push_only: Push the first image, from which Terraform makes the service; update no service.

    Raises:
        UserError: A setting is missing.
    """
    target = image_name("api", "latest") if push_only else new_name("api")
    commands = [build("api", target)]
    if image:
        commands = [
            Command(["docker", "pull", "--platform=linux/amd64", image]),
            Command(["docker", "tag", image, target]),
        ]
    commands += push(target)
    if not push_only:
        update = [
            *["az", "containerapp", "update"],
            f"--subscription={setting('AZURE_SUBSCRIPTION_ID')}",
            *[f"--resource-group={GROUP}", "--name=api", f"--image={target}"],
            *["--query=properties.configuration.ingress.fqdn", "--output=tsv"],
        ]
        commands.append(Command(update))
    return commands
