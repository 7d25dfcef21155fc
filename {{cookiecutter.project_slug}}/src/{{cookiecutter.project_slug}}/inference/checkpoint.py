"""Reading the checkpoints that training writes, and running them with PyTorch."""

import hashlib
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch
from numpy.typing import NDArray

from .. import UserError
from .model import Model, one_line
from .model_file import read_model


def load_checkpoint(path: Path | str) -> dict[str, Any]:
    """Load the tensors and plain values of a checkpoint; no code in it can run.

    Raises:
        UserError: The file can't be read, is damaged, or is no checkpoint of PyTorch Lightning.
    """
    return unpack(read_model(path, "train"), path)


def unpack(content: bytes, path: Path | str) -> dict[str, Any]:
    """Load a checkpoint, as `load_checkpoint` does, from the bytes of its file.

    Args:
        content: The bytes.
        path: The file, for errors.

    Raises:
        UserError: The content is damaged, or is no checkpoint of PyTorch Lightning.
    """
    if not content.startswith(b"PK"):
        raise UserError(f"{path} is no checkpoint: PyTorch writes ZIP archives, this file is none")
    try:
        with ZipFile(BytesIO(content)) as archive:
            damaged = archive.testzip()  # PyTorch itself compares no checksums
    except Exception as error:  # zipfile raises errors of many classes for damaged archives
        raise UserError(f"{path} is damaged or incomplete: copy or write it again") from error
    if damaged:
        raise UserError(f"{path} is damaged in {damaged!r}: copy or write it again")
    try:
        saved = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise UserError(
            f"{path} holds Python objects, which could run code: it was not loaded. Checkpoints of "
            "this project hold tensors and plain values only"
        ) from error
    except Exception as error:  # so does PyTorch
        raise UserError(f"{path} is a ZIP archive, but no checkpoint") from error
    parts = {"hyper_parameters", "state_dict"}
    if not isinstance(saved, dict) or not all(isinstance(saved.get(part), dict) for part in parts):
        raise UserError(f"{path} is a file of PyTorch, but no checkpoint that `train` wrote")
    return saved


class CheckpointModel(Model):
    """A trained network, run by PyTorch.

    Args:
        path: A checkpoint that `train` wrote.
        device: Where to run, such as `cpu` or `cuda`.
        threads: CPU threads for one batch; 0 leaves the number to PyTorch.

    Attributes:
        history: The metrics of each epoch, by name: a row for each, with the number of the epoch.

    Raises:
        UserError: The file can't be read, is no checkpoint of this project or can't answer, or
            there is no such device.
    """

    platform = "pytorch_lightning"

    def __init__(self, path: Path | str, device: str = "cpu", threads: int = 0) -> None:
        if threads:
            torch.set_num_threads(threads)
        content = read_model(path, "train")
        saved = unpack(content, path)
        settings = saved["hyper_parameters"]
        super().__init__(
            path,
            hashlib.sha256(content).hexdigest(),
            # Only the checkpoint that `train` copies to `models/` has metrics and a commit
            lambda: saved | settings,
            "a checkpoint of another project",
        )
        self.history: list[dict[str, float]] = saved.get("history", [])
        weights = {
            name.removeprefix("network."): weight for name, weight in saved["state_dict"].items()
        }
        try:
            network = self.target.build(settings["network"], self.input_spec)
            network.load_state_dict(weights)
        except KeyError as error:
            raise UserError(f"{path} is a checkpoint of another project") from error
        except UserError as error:
            raise UserError(f"{path} was trained with other networks: {one_line(error)}") from error
        except Exception as error:  # PyTorch's are of many classes
            raise UserError(
                f"{path} holds weights of another network: {one_line(error)}"
            ) from error
        self.device = device
        try:
            self.network = network.to(device).eval()
        except (AssertionError, RuntimeError) as error:
            raise UserError(f"device {device!r}: {error}") from error
        self.try_once()

    @torch.inference_mode()
    def outputs(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Run the network on inputs (batch, *input_spec.shape): (batch, target.size)."""
        batch = torch.from_numpy(np.array(inputs)).to(self.device)
        outputs: NDArray[np.float32] = self.network(batch).float().cpu().numpy()
        return outputs
