"""`cloud fetch`: where Azure ML keeps what a job has written."""

from pathlib import Path

from .azure_ml import INSTALL
from .provider import GROUP, WORKSPACE
from .shell import Command, setting


def download_commands(job: str, folder: Path) -> list[Command]:
    """Download the model of a job, and the settings that it was trained with.

    Args:
        job: Name of the job.
        folder: A folder that is there.

    Raises:
        UserError: A setting is missing.
    """
    download = [
        *["az", "ml", "job", "download", f"--subscription={setting('AZURE_SUBSCRIPTION_ID')}"],
        *[f"--resource-group={GROUP}", f"--workspace-name={WORKSPACE}", f"--name={job}"],
        *["--output-name=model", f"--download-path={folder.as_posix()}"],
    ]
    return [INSTALL, Command(download)]
