"""The project's images: built, and pushed to the account's registry."""

from ..training.source import source_commit
from .shell import Command, setting


def build(name: str, image: str, *options: str) -> Command:
    """Build an image of `dockerfiles/`, without the attestations that Lambda can't read."""
    platform = ["--platform=linux/amd64", "--provenance=false", "--sbom=false"]
    files = [f"--file=dockerfiles/{name}.dockerfile", f"--tag={image}"]
    commit = f"--build-arg=SOURCE_COMMIT={source_commit() or ''}"
    return Command(["docker", "build", *platform, *files, commit, *options, "."])


def push(image: str) -> list[Command]:
    """Log in to the registry, push an image, and log out."""
    host = registry()
    return [
        Command(
            ["docker", "login", "--username=AWS", "--password-stdin", host],
            fed_by=["aws", "ecr", "get-login-password", f"--region={setting('AWS_REGION')}"],
        ),
        Command(["docker", "push", image]),
        Command(["docker", "logout", host]),
    ]


def registry() -> str:
    """Name the host of the account's registry."""
    return f"{setting('AWS_ACCOUNT_ID')}.dkr.ecr.{setting('AWS_REGION')}.amazonaws.com"
