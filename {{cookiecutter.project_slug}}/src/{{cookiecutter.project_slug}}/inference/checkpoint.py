"""Reading the checkpoints that training writes, and running them with PyTorch."""

import hashlib
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
import torch
from numpy.typing import NDArray

from .. import UserError
from ..datasets.inputs import InputSpec
from .model_file import read_model
from .target import target_of


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
    except BadZipFile as error:
        raise UserError(f"{path} is damaged or incomplete: copy or write it again") from error
    if damaged:
        raise UserError(f"{path} is damaged in {damaged}: copy or write it again")
    try:
        saved = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise UserError(
            f"{path} holds Python objects, which could run code: it was not loaded. Checkpoints of "
            "this project hold tensors and plain values only"
        ) from error
    except RuntimeError as error:
        raise UserError(f"{path} is a ZIP archive, but no checkpoint") from error
    if not isinstance(saved, dict) or not saved.keys() >= {"hyper_parameters", "state_dict"}:
        raise UserError(f"{path} is a file of PyTorch, but no checkpoint that `train` wrote")
    return saved


class CheckpointModel:
    """A trained network, run by PyTorch.

    Args:
        path: A checkpoint that `train` wrote.
        device: Where to run, such as `cpu` or `cuda`.
        threads: CPU threads for one batch; 0 leaves the number to PyTorch.

    Attributes:
        classes: Class names, in the order of the logits.
        input_spec: What the inputs are, and how a sample becomes one.
        target: What it predicts.
        data: Settings of the data set that it was trained on and the digest of its arrays; None
            where it was trained without one.
        metrics: The metrics on the test split at the end of training, by name. Only the checkpoint
            that `train` copies to `models/` has them.
        history: The metrics of each epoch, by name: a row for each, with the number of the epoch.
        commit: The commit of the source that trained it; None outside a git repository.
        digest: The SHA-256 of the file, 64 hexadecimal digits.

    Raises:
        UserError: The file can't be read or is no checkpoint of this project, or there is no such
            device.
    """

    def __init__(self, path: Path | str, device: str = "cpu", threads: int = 0) -> None:
        if threads:
            torch.set_num_threads(threads)
        content = read_model(path, "train")
        self.digest = hashlib.sha256(content).hexdigest()
        saved = unpack(content, path)
        settings, weights = saved["hyper_parameters"], saved["state_dict"]
        try:
            self.classes: list[str] = settings["classes"]
            self.input_spec = InputSpec(**settings["input_spec"])
            self.target = target_of(self.classes, self.input_spec)
            network = self.target.build(settings["network"], self.input_spec)
            network.load_state_dict(
                {name.removeprefix("network."): weight for name, weight in weights.items()}
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f"{path} is a checkpoint of another project") from error
        except UserError as error:
            raise UserError(f"{path} was trained with other networks: {error}") from error
        except RuntimeError as error:  # its first line names the network, the next ones weights
            reason = " ".join(line.strip() for line in str(error).splitlines()[:2])
            raise UserError(f"{path} holds weights of another network: {reason}") from error
        self.data: dict[str, Any] | None = settings.get("data")
        self.metrics: dict[str, float] = saved.get("metrics", {})
        self.history: list[dict[str, float]] = saved.get("history", [])
        self.commit: str | None = saved.get("commit")
        self.device = device
        try:
            self.network = network.to(device).eval()
        except (AssertionError, RuntimeError) as error:
            raise UserError(f"device {device!r}: {error}") from error

    @torch.inference_mode()
    def outputs(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Run the network on inputs (batch, *input_spec.shape): (batch, target.size)."""
        batch = torch.from_numpy(np.array(inputs)).to(self.device)
        outputs: NDArray[np.float32] = self.network(batch).float().cpu().numpy()
        return outputs
