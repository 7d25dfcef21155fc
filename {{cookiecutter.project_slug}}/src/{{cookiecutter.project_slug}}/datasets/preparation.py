"""The command `prepare`: the data set on disk, before anything is trained on it."""

import typer
from omegaconf import DictConfig

from .base import build_data


def prepare(cfg: DictConfig) -> None:
    """Write the data set to disk and print how many samples each split has.

    Args:
        cfg: `configs/train.yaml`, composed.

    Raises:
        UserError: The data set can't be prepared.
    """
    data = build_data(cfg.data)
    data.prepare_anew()
    counts = ", ".join(f"{len(data.arrays(split)[1])} {split}" for split in data.splits)
    typer.echo(f"{data.folder}: {counts} samples {data.label_kind}")
