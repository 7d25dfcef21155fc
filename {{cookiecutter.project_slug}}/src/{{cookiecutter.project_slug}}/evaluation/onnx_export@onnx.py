"""Export to ONNX: one file that holds the network and all that serving it needs."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from omegaconf import DictConfig
from onnxruntime.quantization import CalibrationDataReader, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from .. import UserError
from ..inference.checkpoint import CheckpointModel
from ..inference.onnx_model import OnnxModel
from ..inference.predictor import softmax
from .report import compute_metrics, in_batches, open_data

# How images.py makes the network's input of a picture, for those who serve the file without it
PREPROCESSING = {
    "mode": "L for 1 channel, RGB for 3",
    "resize": "bilinear, to image_shape",
    "input": "uint8, NCHW, not scaled: the network does that",
}


@dataclass(frozen=True)
class Exported:
    """What an exported model gave on the test split.

    Attributes:
        accuracy: From 0 to 1.
        difference: Largest absolute difference of its logits from the checkpoint's.
    """

    accuracy: float
    difference: float


def export(cfg: DictConfig) -> dict[str, Exported]:
    """Export a checkpoint, and keep the file only if it answers the test split as it should.

    Args:
        cfg: `configs/export.yaml`, composed.

    Returns:
        What was written, by its path: the float model and, with `cfg.quantize`, the int8 model.

    Raises:
        UserError: The checkpoint is missing or does not fit the data, or an exported model answers
            otherwise; the file that was there before stays.
    """
    for name in ("onnx_ir", "onnxruntime", "onnxscript", "torch.onnx"):
        logging.getLogger(name).setLevel(logging.ERROR)  # they tell each step
    trained = CheckpointModel(cfg.checkpoint)
    data = open_data(cfg, trained.classes, trained.image_shape)
    images, labels = data.arrays("test")
    expected = in_batches(trained.logits, images, data.batch_size)

    def proven(model: onnx.ModelProto, path: Path) -> tuple[NDArray[np.float32], Exported]:
        """Write the model, run it on the test split, and write what that gave into the file."""
        save(model, path, trained, {})
        logits = in_batches(OnnxModel(path).logits, images, data.batch_size)
        metrics = compute_metrics(softmax(logits), labels)
        save(model, path, trained, metrics)
        return logits, Exported(metrics["accuracy"], float(np.abs(logits - expected).max()))

    with replacing(Path(cfg.onnx)) as path:
        model = to_onnx(trained)
        logits, exported = proven(model, path)
        changed = int((logits.argmax(axis=1) != expected.argmax(axis=1)).sum())
        if changed or not exported.difference <= cfg.tolerance:
            raise UserError(
                f"{cfg.onnx} was not written: its logits differ by up to {exported.difference:.2g} "
                f"from the checkpoint's (tolerance={cfg.tolerance}), and {changed} of "
                f"{len(labels)} test images change their class"
            )
    results = {cfg.onnx: exported}

    if cfg.quantize:
        with replacing(Path(cfg.int8)) as path:
            calibration = data.arrays("train")[0][: cfg.calibration_images]
            _, quantized = proven(to_int8(model, calibration, data.batch_size), path)
            lost = exported.accuracy - quantized.accuracy
            if not lost <= cfg.max_accuracy_loss:
                raise UserError(
                    f"{cfg.int8} was not written: it would lose {lost:.4f} of the accuracy "
                    f"(max_accuracy_loss={cfg.max_accuracy_loss}); use {cfg.onnx}"
                )
        results[cfg.int8] = quantized
    return results


def to_onnx(trained: CheckpointModel) -> onnx.ModelProto:
    """Translate a network into an ONNX graph from `images` to `logits` for any batch size."""
    example = torch.zeros((2, *trained.image_shape), dtype=torch.uint8)
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        program: Any = torch.onnx.export(
            trained.network,
            (example,),
            dynamo=True,
            dynamic_shapes={"images": {0: "batch"}},
            input_names=["images"],
            output_names=["logits"],
            verbose=False,
        )
    model: onnx.ModelProto = program.model_proto
    return model


def to_int8(model: onnx.ModelProto, images: NDArray[np.uint8], batch_size: int) -> onnx.ModelProto:
    """Quantise weights and activations to 8 bits, in the ranges that `images` cause.

    Source: https://arxiv.org/abs/1712.05877

    Args:
        model: The float model.
        images: Pixels of shape (images, *image_shape), 0 to 255, none of them to test on.
        batch_size: Images a step.
    """
    with TemporaryDirectory() as folder:
        prepared, quantized = Path(folder, "prepared.onnx"), Path(folder, "quantized.onnx")
        quant_pre_process(model, prepared)
        quantize_static(prepared, quantized, Calibration(images, batch_size), per_channel=True)
        return onnx.load(quantized)


class Calibration(CalibrationDataReader):  # type: ignore[misc]
    """Hands images to the quantiser, batch by batch."""

    def __init__(self, images: NDArray[np.uint8], batch_size: int) -> None:
        starts = range(0, len(images), batch_size)
        self.batches = ({"images": images[i : i + batch_size]} for i in starts)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """Return the next batch, None behind the last."""
        return next(self.batches, None)


def save(
    model: onnx.ModelProto, path: Path, trained: CheckpointModel, metrics: dict[str, float]
) -> None:
    """Write a model with all that serving it needs to know, in one file."""
    properties = {
        "classes": trained.classes,
        "image_shape": trained.image_shape,
        "preprocessing": PREPROCESSING,
        "metrics": metrics,
        "commit": trained.commit,
    }
    onnx.helper.set_model_props(model, {key: json.dumps(properties[key]) for key in properties})
    onnx.save(model, path)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to, which takes the place of `path` if the block raises nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
