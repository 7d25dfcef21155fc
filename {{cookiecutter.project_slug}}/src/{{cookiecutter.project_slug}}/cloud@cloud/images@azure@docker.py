"""The project's images: built, and pushed to the registry that Terraform has made."""

from ..training.source import source_commit
from .provider import UNIQUE
from .shell import Command, setting

REGISTRY = f"acr{UNIQUE}"


def image_name(kind: str, tag: str) -> str:
    """Name an image of the registry."""
    return f"{REGISTRY}.azurecr.io/{{ cookiecutter.project_slug }}-{kind}:{tag}"


def build(kind: str, name: str, *arguments: str) -> Command:
    """Build an image of `dockerfiles/` for the machines of Azure.

    Args:
        kind: Name of the Dockerfile.
        name: Name of the image.
        arguments: Build arguments, such as `TORCH_INDEX=...`.
    """
    given = [f"SOURCE_COMMIT={source_commit() or ''}", *arguments]
    return Command(
        [
            *["docker", "build", "--platform=linux/amd64", "--provenance=false"],
            *[f"--file=dockerfiles/{kind}.dockerfile", f"--tag={name}"],
            *[f"--build-arg={argument}" for argument in given],
            ".",
        ]
    )


def push(name: str) -> list[Command]:
    """Log in to the registry and push an image to it."""
    subscription = f"--subscription={setting('AZURE_SUBSCRIPTION_ID')}"
    return [
        Command(["az", "acr", "login", subscription, f"--name={REGISTRY}"]),
        Command(["docker", "push", name]),
    ]
