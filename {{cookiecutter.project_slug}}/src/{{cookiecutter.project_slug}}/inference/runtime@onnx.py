"""Chooses the runtime for a trained model: PyTorch or ONNX Runtime."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .checkpoint import CheckpointModel
    from .onnx_model import OnnxModel


def load_model(
    path: Path | str, device: str = "cpu", threads: int = 0
) -> "CheckpointModel | OnnxModel":
    """Load a model on the runtime that its file is for, and import no other.

    Args:
        path: A checkpoint that `train` wrote (*.ckpt), or else a file that `export` wrote.
        device: Where to run, such as `cpu` or `cuda`.
        threads: CPU threads for one batch; 0 leaves the number to the runtime.

    Raises:
        UserError: The file can't be read or is no model of this project, or there is no such
            device.
    """
    if Path(path).suffix == ".ckpt":
        from .checkpoint import CheckpointModel

        return CheckpointModel(path, device, threads)
    from .onnx_model import OnnxModel

    return OnnxModel(path, device, threads)
