"""Running an exported model: that takes the file and ONNX Runtime, and no PyTorch."""

import hashlib
import json
import logging
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import UserError
from .model import Model, one_line
from .model_file import read_model

# Set before the import, which would write an id of this machine to the home folder
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

log = logging.getLogger(__name__)

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxModel(Model):
    """A trained network, run by ONNX Runtime.

    A warning is logged if the checkpoint beside the file is not the one that it was exported from.

    Args:
        path: A file that `export` wrote.
        device: `cpu`, or `cuda` with the package onnxruntime-gpu.
        threads: CPU threads for one batch; 0 takes one for each core.

    Raises:
        UserError: The file can't be read, was not exported by this project or can't answer, or
            there is no such device.
    """

    platform = "onnx_onnxv1"

    def __init__(self, path: Path | str, device: str = "cpu", threads: int = 0) -> None:
        provider = PROVIDERS.get(device)
        if provider not in onnxruntime.get_available_providers():
            raise UserError(f"device {device!r}: ONNX Runtime is not installed for it")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that spin while they wait take the processor from the server around them
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4  # what is less than fatal is raised
        content = read_model(path, "export")
        try:
            # With its fallback it would print errors, and load the file a second time
            self.session = onnxruntime.InferenceSession(
                content, options, providers=[provider], enable_fallback=0
            )
        except Exception as error:  # ONNX Runtime's errors have no class in common
            if not content.startswith(b"\x08"):  # the first field of an ONNX file is its version
                reason = "is no ONNX model; the name of a checkpoint must end with .ckpt"
            elif "INVALID_PROTOBUF" in str(error):
                reason = "is damaged or incomplete: copy or write it again"
            else:
                reason = f"can't be loaded: {one_line(error)}"
            raise UserError(f"{path} {reason}") from error
        super().__init__(
            path,
            hashlib.sha256(content).hexdigest(),
            self.read_metadata,
            "an ONNX model, but `export` did not write it, or that of another project did",
        )
        self.try_once()
        checkpoint = checkpoint_beside(Path(path))
        metadata = self.session.get_modelmeta().custom_metadata_map
        if is_stale(metadata.get("checkpoint", ""), checkpoint):
            log.warning(
                "%s was exported from another checkpoint than %s: run `export` again",
                path,
                checkpoint,
            )

    def read_metadata(self) -> dict[str, Any]:
        """Read what `export` wrote into the file beside the graph."""
        metadata = self.session.get_modelmeta().custom_metadata_map
        names = ("format", "classes", "input_spec", "data", "metrics", "commit")
        return {name: json.loads(metadata[name]) for name in names if name in metadata}

    def outputs(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Run the network on inputs (batch, *input_spec.shape): (batch, target.size).

        Raises:
            UserError: The graph fails on these inputs.
        """
        feed = {"inputs": self.input_spec.trim(inputs)}
        try:
            outputs: NDArray[np.float32] = self.session.run([self.target.output], feed)[0]
        except Exception as error:  # ONNX Runtime's errors have no class in common
            raise UserError(f"{self.path} can't answer: {one_line(error)}") from error
        return outputs


def checkpoint_beside(path: Path) -> Path:
    """Name the checkpoint of an exported file: `model.ckpt` for `model.onnx`, `model.int8.onnx`."""
    return path.with_name(f"{path.name.removesuffix('.onnx').removesuffix('.int8')}.ckpt")


def is_stale(exported_from: str, checkpoint: Path) -> bool:
    """Say whether a model was exported from another checkpoint than this one.

    Args:
        exported_from: The SHA-256 of a checkpoint, as JSON, from the model's metadata. Files of
            other versions of this project may hold none: they are not called stale.
        checkpoint: The checkpoint, which may be missing.
    """
    if not re.fullmatch('"[0-9a-f]{64}"', exported_from):
        return False
    try:
        with checkpoint.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return False
    return exported_from != f'"{digest}"'
