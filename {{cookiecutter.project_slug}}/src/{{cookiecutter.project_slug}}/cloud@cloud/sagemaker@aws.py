"""A job of SageMaker, made from `infra/aws/sagemaker.json`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .provider import BUCKET, NAME
from .shell import Command, setting

JOB = Path(__file__).resolve().parents[3] / "infra/aws/sagemaker.json"
GPU = "ml.g5.xlarge"


def fill_in(image: str, overrides: list[str], *, gpu: bool) -> dict[str, Any]:
    """Read the file, and add the values that it leaves open.

    Args:
        image: The image that the job runs.
        overrides: Hydra overrides.
        gpu: Whether its machine has a GPU.

    Returns:
        A request to create a training job.
    """
    job: dict[str, Any] = json.loads(JOB.read_text("utf-8"))
    job["TrainingJobName"] = f"{NAME}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    job["RoleArn"] = f"arn:aws:iam::{setting('AWS_ACCOUNT_ID')}:role/{NAME}-training"
    job["OutputDataConfig"] = {"S3OutputPath": f"s3://{BUCKET}/training"}
    job["AlgorithmSpecification"]["TrainingImage"] = image
    if gpu:
        job["ResourceConfig"]["InstanceType"] = GPU
        overrides = ["trainer=gpu", *overrides]
    job["AlgorithmSpecification"]["ContainerArguments"] += overrides
    return job


def start(job: dict[str, Any]) -> Command:
    """Start a job."""
    request = ["create-training-job", f"--region={setting('AWS_REGION')}"]
    return Command(["aws", "sagemaker", *request, "--cli-input-json", json.dumps(job)])
