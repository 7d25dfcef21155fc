"""Loads a trained model on its runtime: PyTorch."""

from pathlib import Path

from .checkpoint import CheckpointModel


def load_model(path: Path | str, device: str = "cpu", threads: int = 0) -> CheckpointModel:
    """Load a model.

    Args:
        path: A checkpoint that `train` wrote.
        device: Where to run, such as `cpu` or `cuda`.
        threads: CPU threads for one batch; 0 leaves the number to PyTorch.

    Raises:
        UserError: The file can't be read or is no checkpoint of this project, or there is no such
            device.
    """
    return CheckpointModel(path, device, threads)
