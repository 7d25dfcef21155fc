"""`cloud train`: a job of SageMaker that installs the committed source into Amazon's image."""

from ..training.source import source_commit
from .provider import BUCKET
from .sagemaker import fill_in, start
from .shell import Command, setting

# Amazon's image of PyTorch; a region that accounts have to enable keeps it in another account
IMAGE = "763104351884.dkr.ecr.{region}.amazonaws.com/pytorch-training:{tag}"
CPU_TAG = "2.10.0-cpu-py313-ubuntu22.04-sagemaker"
GPU_TAG = "2.10.0-gpu-py313-cu130-ubuntu22.04-sagemaker"


def train_commands(overrides: list[str], *, gpu: bool) -> list[Command]:
    """Upload the committed source, and start a job with it.

    Args:
        overrides: Hydra overrides.
        gpu: Whether the job runs on a GPU.

    Raises:
        UserError: A setting is missing.
    """
    region = setting("AWS_REGION")
    # Only committed files are uploaded, so that the commit names them all
    commit = (source_commit() or "uncommitted").removesuffix("-dirty")
    source = f"s3://{BUCKET}/source/{commit}.tar.gz"
    job = fill_in(IMAGE.format(region=region, tag=GPU_TAG if gpu else CPU_TAG), overrides, gpu=gpu)
    job["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = source
    job["Environment"] = {**job.get("Environment", {}), "SOURCE_COMMIT": commit}
    return [
        Command(
            ["aws", "s3", "cp", f"--region={region}", "-", source],
            fed_by=["git", "archive", "--format=tar.gz", "HEAD"],
        ),
        start(job),
    ]
