"""Running an exported model: the file is all that is needed, PyTorch is not."""

import json
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import UserError

# Once imported, it has made an id of this machine in the home directory already
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxModel:
    """A trained network, run by ONNX Runtime.

    Args:
        path: A file that `export` wrote.
        device: `cpu`, or `cuda` with the package onnxruntime-gpu.
        threads: CPU threads for one batch; 0 takes one for each core.

    Attributes:
        classes: Class names, in the order of the logits.
        image_shape: Channels, height and width of the images it takes, the sides in pixels.
        metrics: What the test split gave when it was exported.
        commit: The source that trained it, if that was in a git repository.

    Raises:
        UserError: The file is missing or was not exported by this project, or there is no such
            device.
    """

    def __init__(self, path: Path | str, device: str = "cpu", threads: int = 0) -> None:
        provider = PROVIDERS.get(device)
        if provider not in onnxruntime.get_available_providers():
            raise UserError(f"device {device!r}: ONNX Runtime is not installed for it")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that spin while they wait take the processor from the server around them
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            content = Path(path).read_bytes()
        except (FileNotFoundError, IsADirectoryError, PermissionError):
            raise UserError(f"{path}: no such model; run `export` first") from None
        try:
            self.session = onnxruntime.InferenceSession(content, options, providers=[provider])
            metadata = self.session.get_modelmeta().custom_metadata_map
            self.classes: list[str] = json.loads(metadata["classes"])
            self.image_shape: list[int] = json.loads(metadata["image_shape"])
            self.metrics: dict[str, float] = json.loads(metadata["metrics"])
            self.commit: str | None = json.loads(metadata["commit"])
        except Exception:  # noqa: BLE001 - ONNX Runtime's errors have no class in common
            raise UserError(f"{path}: not a model that `export` wrote") from None

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network on uint8 images (batch, *image_shape): logits (batch, classes)."""
        logits: NDArray[np.float32] = self.session.run(["logits"], {"images": images})[0]
        return logits
