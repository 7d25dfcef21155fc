"""`cloud train`: a job of Azure ML that runs the training image."""

from .azure_ml import INSTALL, start
from .images import build, image_name, push
from .shell import Command
from .tag import new_tag

GPU_INDEX = "https://download.pytorch.org/whl/cu126"


def train_commands(overrides: list[str], *, gpu: bool) -> list[Command]:
    """Build and push the training image, and start a job with it.

    Args:
        overrides: Hydra overrides.
        gpu: Whether the job runs on a GPU.

    Raises:
        UserError: A setting is missing.
    """
    image = image_name("train", new_tag())
    return [
        INSTALL,
        build("train", image, *([f"TORCH_INDEX={GPU_INDEX}"] if gpu else [])),
        *push(image),
        start(overrides, [f"environment.image={image}"], gpu=gpu),
    ]
