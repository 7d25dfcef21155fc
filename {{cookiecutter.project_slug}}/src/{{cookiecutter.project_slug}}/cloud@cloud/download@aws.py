"""`cloud fetch`: where SageMaker keeps what a job has written."""

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
    region, archive = f"--region={setting('AWS_REGION')}", (folder / "model.tar.gz").as_posix()
    source = f"s3://{BUCKET}/training/{job}/output/model.tar.gz"
    return [
        Command(["aws", "s3", "cp", region, source, archive]),
        Command(["tar", "-xzf", archive, "-C", folder.as_posix()]),
    ]
