"""`cloud train`: a virtual machine that trains the committed source and then deletes itself."""

import shlex
from datetime import UTC, datetime
from pathlib import Path

from ..training.source import source_commit
from .provider import BUCKET, NAME, account
from .shell import Command, setting

SCRIPT = Path(__file__).resolve().parents[3] / "infra/gcp/train-vm.sh"
CPU = [
    "--machine-type=n2-standard-4",
    "--image-project=debian-cloud",
    "--image-family=debian-12",
]
# An image with the GPU's driver
GPU = [
    "--machine-type=g2-standard-4",
    "--maintenance-policy=TERMINATE",
    "--image-project=deeplearning-platform-release",
    "--image-family=common-cu129-ubuntu-2204-nvidia-580",
]


def train_commands(overrides: list[str], *, gpu: bool) -> list[Command]:
    """Upload the committed source, and start a machine with it.

    Its results go to the folder of the bucket that has the name of the machine.

    Args:
        overrides: Hydra overrides.
        gpu: Whether the machine has a GPU.

    Raises:
        UserError: A setting is missing.
    """
    machine = f"{NAME}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    source = f"gs://{BUCKET}/source/{machine}.tar.gz"
    # Only committed files are uploaded, so that the commit names them all
    commit = (source_commit() or "").removesuffix("-dirty")
    words = shlex.join([*(["trainer=gpu"] if gpu else []), *overrides])
    # gcloud splits the values at the character that it is told, which no value may hold
    mark = next(character for character in "|;@%" if character not in words)
    values = mark.join([f"bucket={BUCKET}", f"commit={commit}", f"overrides={words}"])
    return [
        Command(
            ["gcloud", "storage", "cp", "-", source],
            fed_by=["git", "archive", "--format=tar.gz", "HEAD"],
        ),
        Command(
            [
                *("gcloud", "compute", "instances", "create", machine),
                f"--project={setting('GOOGLE_CLOUD_PROJECT')}",
                f"--zone={setting('GOOGLE_CLOUD_REGION')}-b",
                *(GPU if gpu else CPU),
                "--boot-disk-size=100GB",
                f"--service-account={account('training')}",
                "--scopes=cloud-platform",
                "--max-run-duration=12h",
                "--instance-termination-action=DELETE",
                f"--metadata-from-file=startup-script={SCRIPT}",
                f"--metadata=^{mark}^{values}",
            ]
        ),
    ]
