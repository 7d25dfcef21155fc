"""`cloud train`: a job of Vertex AI that runs the training image."""

import json
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from .images import build, push, registry, tag
from .provider import BUCKET, NAME, account, place
from .shell import Command

INFRA = Path(__file__).resolve().parents[3] / "infra/gcp"
# Vertex AI mounts the bucket for root
ROOT = ["--build-arg=RUN_AS=0:0"]
# PyTorch's index for a GPU; without one, the image takes the default of its Dockerfile
CUDA = ["--build-arg=TORCH_INDEX=https://download.pytorch.org/whl/cu126"]


def train_commands(overrides: list[str], *, gpu: bool) -> list[Command]:
    """Build and push the training image, and start a job with it.

    The job is described in `outputs/vertex.yaml`, which is written here: `infra/gcp/vertex-*.yaml`
    with the values that are known only now. Its results go to the folder of the bucket that has
    the name of the job.

    Args:
        overrides: Hydra overrides.
        gpu: Whether the job runs on a GPU.

    Raises:
        UserError: A setting is missing.
    """
    job = f"{NAME}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    kind = "gpu" if gpu else "cpu"
    image = f"{registry()}/train-{kind}:{tag()}"
    results = f"/gcs/{BUCKET}/runs/{job}"
    words = [*(["trainer=gpu"] if gpu else []), *overrides, f"checkpoint={results}/model.ckpt"]
    specification = Template((INFRA / f"vertex-{kind}.yaml").read_text("utf-8")).substitute(
        account=account("training"),
        arguments=json.dumps([*words, f"hydra.output_subdir={results}/hydra"]),
        image=image,
    )
    path = Path("outputs/vertex.yaml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(specification, "utf-8")
    create = ["gcloud", "ai", "custom-jobs", "create", *place()]
    return [
        build("train", image, *ROOT, *(CUDA if gpu else [])),
        *push(image),
        Command([*create, f"--display-name={job}", f"--config={path.as_posix()}"]),
    ]
