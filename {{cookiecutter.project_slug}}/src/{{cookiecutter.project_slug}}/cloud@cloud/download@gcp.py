"""`cloud fetch`: where a job keeps what it has written."""

from pathlib import Path

from .provider import BUCKET
from .shell import Command, setting


def download_commands(job: str, folder: Path) -> list[Command]:
    """Download the model of a job, and the settings that it was trained with.

    Args:
        job: Name of the job.
        folder: A folder that is there.

    Raises:
        UserError: A setting is missing.
    """
    copy = ["gcloud", "storage", "rsync", f"--project={setting('GOOGLE_CLOUD_PROJECT')}"]
    return [Command([*copy, "--recursive", f"gs://{BUCKET}/runs/{job}", folder.as_posix()])]
