"""The project's images: built, and pushed to Artifact Registry."""

from datetime import UTC, datetime

from .. import UserError
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


def new_tag(image: str = "") -> str:
    """Name an image after its commit, or its digest, and the time: a tag is never moved.

    Args:
        image: An image that was built elsewhere, or nothing.

    Raises:
        UserError: It is named without its digest.
    """
    if image and "@sha256:" not in image:
        raise UserError(f"--image {image}: add the digest, as in NAME@sha256:DIGEST")
    source = image.partition("@sha256:")[2][:12] or source_commit() or "uncommitted"
    return f"{source}-{datetime.now(UTC):%Y%m%d%H%M%S}"
