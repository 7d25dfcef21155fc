"""`cloud train`: a job of Azure ML that installs the uploaded source."""

from ..training.source import source_commit
from .azure_ml import INSTALL, start
from .shell import Command


def train_commands(overrides: list[str], *, gpu: bool) -> list[Command]:
    """Upload the source, and start a job with it.

    Args:
        overrides: Hydra overrides.
        gpu: Whether the job runs on a GPU.

    Raises:
        UserError: A setting is missing.
    """
    values = [f"environment_variables.SOURCE_COMMIT={source_commit() or ''}"]
{%- if cookiecutter.environment == "uv" %}
    if gpu:
        values += ["environment_variables.TORCH_INDEX=https://download.pytorch.org/whl/cu126"]
{%- endif %}
    return [INSTALL, start(overrides, values, gpu=gpu)]
