"""`cloud train`: a job of SageMaker that runs the training image."""

from .images import build, push, registry
from .provider import NAME
from .sagemaker import fill_in, start
from .shell import Command
from .tag import new_tag

# SageMaker gives its folders to root
ROOT = ["--build-arg=RUN_AS=0:0"]
# PyTorch's index for a GPU; without one, the image takes the default of its Dockerfile
CUDA = ["--build-arg=TORCH_INDEX=https://download.pytorch.org/whl/cu126"]


def train_commands(overrides: list[str], *, gpu: bool) -> list[Command]:
    """Build and push the training image, and start a job with it.

    Args:
        overrides: Hydra overrides.
        gpu: Whether the job runs on a GPU.

    Raises:
        UserError: A setting is missing.
    """
    image = f"{registry()}/{NAME}/train:{new_tag()}{'-gpu' if gpu else ''}"
    return [
        build("train", image, *ROOT, *(CUDA if gpu else [])),
        *push(image),
        start(fill_in(image, overrides, gpu=gpu)),
    ]
