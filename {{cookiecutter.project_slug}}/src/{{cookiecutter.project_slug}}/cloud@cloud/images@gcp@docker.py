"""The project's images: built, and pushed to Artifact Registry."""

from ..training.source import source_commit
from .provider import LOGIN, NAME
from .shell import Command, setting


def build(name: str, image: str, *options: str) -> Command:
    """Build an image of `dockerfiles/` for the processors of Google Cloud."""
    return Command(
        [
            *("docker", "build", "--platform=linux/amd64", "--provenance=false"),
            f"--file=dockerfiles/{name}.dockerfile",
            f"--build-arg=SOURCE_COMMIT={source_commit() or ''}",
            *options,
            f"--tag={image}",
            ".",
        ]
    )


def push(image: str) -> list[Command]:
    """Log in to the registry and push an image to it."""
    host = registry().partition("/")[0]
    login = ["docker", "login", "--username=oauth2accesstoken", "--password-stdin", host]
    return [Command(login, fed_by=LOGIN.check), Command(["docker", "push", image])]


def registry() -> str:
    """Name the project's repository in Artifact Registry."""
    region, project = setting("GOOGLE_CLOUD_REGION"), setting("GOOGLE_CLOUD_PROJECT")
    return f"{region}-docker.pkg.dev/{project}/{NAME}"


def tag() -> str:
    """Name an image after the source in it."""
    return source_commit() or "latest"
