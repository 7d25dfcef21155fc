"""The only inference code: whatever answers a prediction goes through `Predictor`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from . import UserError
from .images import read_image
from .network import build_network


@dataclass(frozen=True)
class Prediction:
    """The most probable class of an image, and its probability from 0 to 1."""

    label: str
    probability: float


def load_checkpoint(path: Path | str) -> dict[str, Any]:
    """Load a checkpoint's tensors and plain values; no code in it can run.

    Raises:
        UserError: The file is missing or is no checkpoint.
    """
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"{path}: no such checkpoint; run `train` first") from None
    except (UnpicklingError, RuntimeError, EOFError, IsADirectoryError):
        raise UserError(f"{path}: not a checkpoint that `train` wrote") from None
    return saved


class Predictor:
    """Loads a checkpoint once and classifies batches of images with it.

    Args:
        checkpoint: A file that training wrote.
        device: Where to run, such as `cpu` or `cuda`.

    Attributes:
        classes: Class names, in the order of the probabilities.
        image_shape: Channels, height and width of the images it takes, the sides in pixels.

    Raises:
        UserError: The file is missing or is no checkpoint of this project, or there is no such
            device.
    """

    def __init__(self, checkpoint: Path | str, device: str = "cpu") -> None:
        saved = load_checkpoint(checkpoint)
        try:
            settings, weights = saved["hyper_parameters"], saved["state_dict"]
            self.classes: list[str] = settings["classes"]
            self.image_shape: list[int] = settings["image_shape"]
            network = build_network(
                image_shape=self.image_shape, num_classes=len(self.classes), **settings["network"]
            )
            network.load_state_dict(
                {name.removeprefix("network."): weight for name, weight in weights.items()}
            )
        except (RuntimeError, KeyError, TypeError):
            raise UserError(f"{checkpoint}: not a checkpoint that `train` wrote") from None
        self.device = device
        try:
            self.network = network.to(device).eval()
        except (AssertionError, RuntimeError) as error:
            raise UserError(f"device {device!r}: {error}") from None

    @torch.inference_mode()
    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Classify a batch.

        Args:
            images: Pixels of shape (batch, *image_shape), 0 to 255.

        Returns:
            Probabilities of shape (batch, classes); each row sums to 1.
        """
        logits = self.network(torch.from_numpy(np.array(images)).to(self.device))
        probabilities: NDArray[np.float32] = logits.float().softmax(dim=1).cpu().numpy()
        return probabilities

    def predict_files(self, paths: Sequence[Path]) -> list[Prediction]:
        """Classify picture files of any size.

        Raises:
            UserError: A file is missing or is no readable picture.
        """
        images = np.stack([read_image(path, self.image_shape) for path in paths])
        return [
            Prediction(self.classes[row.argmax()], float(row.max())) for row in self.predict(images)
        ]
