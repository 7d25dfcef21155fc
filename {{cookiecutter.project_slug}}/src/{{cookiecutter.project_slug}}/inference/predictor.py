"""The only inference code: whatever answers a prediction goes through `Predictor`."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
{%- if cookiecutter.onnx_export %}
from typing import TYPE_CHECKING
{%- endif %}

import numpy as np
from numpy.typing import NDArray
{% if not cookiecutter.onnx_export %}
from .checkpoint import CheckpointModel
{%- endif %}
from ..datasets.inputs import read_image
{%- if cookiecutter.onnx_export %}

if TYPE_CHECKING:
    from .checkpoint import CheckpointModel
    from .onnx_model import OnnxModel
{%- endif %}


@dataclass(frozen=True)
class Prediction:
    """The most probable class of an image, and its probability from 0 to 1."""

    label: str
    probability: float


class Predictor:
    """Loads a model once and classifies batches of images with it.

    Args:
{%- if cookiecutter.onnx_export %}
        path: A file that `export` wrote, or a checkpoint that `train` wrote (*.ckpt).
{%- else %}
        path: A checkpoint that `train` wrote.
{%- endif %}
        device: Where to run, such as `cpu` or `cuda`.
        threads: CPU threads for one batch; 0 leaves the number to the runtime.

    Attributes:
        classes: Class names, in the order of the probabilities.
        image_shape: Channels, height and width of the images it takes, the sides in pixels.
        metrics: What the test split gave, by name.
        commit: The source that trained it, if that was in a git repository.
        version: The start of the file's SHA-256, which names its content.

    Raises:
        UserError: The file is missing or is no model of this project, or there is no such device.
    """

    def __init__(self, path: Path | str, device: str = "cpu", threads: int = 0) -> None:
{%- if cookiecutter.onnx_export %}
        self.model = load_model(path, device, threads)
{%- else %}
        self.model = CheckpointModel(path, device, threads)
{%- endif %}
        self.classes = self.model.classes
        self.image_shape = self.model.image_shape
        self.metrics = self.model.metrics
        self.commit = self.model.commit
        self.version = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute the probability of each class for each image of a batch.

        Args:
            images: Pixels of shape (batch, *image_shape), 0 to 255.

        Returns:
            Probabilities of shape (batch, classes); each row sums to 1.
        """
        return softmax(self.model.logits(images))

    def classify(self, images: NDArray[np.uint8]) -> list[Prediction]:
        """Name the most probable class of each image of a batch, as `probabilities` takes it."""
        probabilities = self.probabilities(images)
        best = probabilities.argmax(axis=1).tolist()
        highest = probabilities.max(axis=1).tolist()
        return [
            Prediction(self.classes[label], probability)
            for label, probability in zip(best, highest, strict=True)
        ]

    def predict_files(self, paths: Sequence[Path]) -> list[Prediction]:
        """Classify picture files of any size.

        Raises:
            UserError: A file is missing or is no readable picture.
        """
        return self.classify(np.stack([read_image(path, self.image_shape) for path in paths]))

{%- if cookiecutter.onnx_export %}


def load_model(path: Path | str, device: str, threads: int) -> "CheckpointModel | OnnxModel":
    """Load a model on the runtime that its file is for: serving imports no PyTorch."""
    if Path(path).suffix == ".ckpt":
        from .checkpoint import CheckpointModel

        return CheckpointModel(path, device, threads)
    from .onnx_model import OnnxModel

    return OnnxModel(path, device, threads)
{%- endif %}


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn logits of shape (batch, classes) into probabilities of the same shape."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))  # no overflow
    probabilities: NDArray[np.float32] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities
