"""Reading what training saved."""

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .. import UserError
from ..networks.base import build_network


def load_checkpoint(path: Path | str) -> dict[str, Any]:
    """Load a checkpoint's tensors and plain values; no code in it can run.

    Raises:
        UserError: The file is missing or is no checkpoint.
    """
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"{path}: no such checkpoint; run `train` first") from None
    except (UnpicklingError, RuntimeError, EOFError, IsADirectoryError, PermissionError):
        raise UserError(f"{path}: not a checkpoint that `train` wrote") from None
    return saved


class CheckpointModel:
    """A trained network, run by PyTorch.

    Args:
        path: A checkpoint that training wrote.
        device: Where to run, such as `cpu` or `cuda`.
        threads: CPU threads for one batch; 0 leaves the number to PyTorch.

    Attributes:
        classes: Class names, in the order of the logits.
        image_shape: Channels, height and width of the images it takes, the sides in pixels.
        metrics: What the test split gave at the end of training, if this is
            the checkpoint that `train` copied to `models/`.
        commit: The source that trained it, if that was in a git repository.

    Raises:
        UserError: The file is missing or is no checkpoint of this project, or there is no such
            device.
    """

    def __init__(self, path: Path | str, device: str = "cpu", threads: int = 0) -> None:
        if threads:
            torch.set_num_threads(threads)
        saved = load_checkpoint(path)
        try:
            settings, weights = saved["hyper_parameters"], saved["state_dict"]
            self.classes: list[str] = settings["classes"]
            self.image_shape: list[int] = settings["image_shape"]
            self.metrics: dict[str, float] = saved.get("metrics", {})
            self.commit: str | None = saved.get("commit")
            network = build_network(settings["network"], self.image_shape, len(self.classes))
            network.load_state_dict(
                {name.removeprefix("network."): weight for name, weight in weights.items()}
            )
        except (RuntimeError, KeyError, TypeError, AttributeError):
            raise UserError(f"{path}: not a checkpoint that `train` wrote") from None
        self.device = device
        try:
            self.network = network.to(device).eval()
        except (AssertionError, RuntimeError) as error:
            raise UserError(f"device {device!r}: {error}") from None

    @torch.inference_mode()
    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network on uint8 images (batch, *image_shape): logits (batch, classes)."""
        batch = torch.from_numpy(np.array(images)).to(self.device)
        logits: NDArray[np.float32] = self.network(batch).float().cpu().numpy()
        return logits
