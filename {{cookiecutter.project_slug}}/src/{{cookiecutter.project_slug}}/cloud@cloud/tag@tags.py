"""Tags of images: each names one image, for ever."""

from datetime import UTC, datetime

from .. import UserError
from ..training.source import source_commit


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
