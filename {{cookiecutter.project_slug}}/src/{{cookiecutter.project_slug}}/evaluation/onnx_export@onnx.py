"""Export to ONNX: one file that holds the network and everything that serving it needs."""

import json
import logging
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from omegaconf import DictConfig
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from .. import UserError
from ..inference.checkpoint import CheckpointModel
from ..inference.model import FORMAT
from ..inference.model_file import replacing
from ..inference.onnx_model import OnnxModel
from .data import open_data
from .metrics import in_batches
from .scoring import scoring_of


@dataclass(frozen=True)
class Exported:
    """The results of an exported model on the test split.

    Attributes:
        metrics: Its metrics, by name.
        difference: Largest absolute difference between an output of it and of the checkpoint, in
            the scale of the target.
    """

    metrics: dict[str, float]
    difference: float


def export(cfg: DictConfig) -> dict[str, Exported]:
    """Export a checkpoint, check the file on the test split and print the results.

    A file that fails its check is not written, and the file of an earlier export stays.

    Args:
        cfg: `configs/export.yaml`, composed.

    Returns:
        The results of each file that was written, by its path: the float model and, with
        `cfg.quantize`, the int8 model.

    Raises:
        UserError: The checkpoint is missing or does not fit the data, or an exported model fails
            its check.
    """
    for name in ("onnx_ir", "onnxruntime", "onnxscript", "torch.onnx"):
        logging.getLogger(name).setLevel(logging.ERROR)  # they log every step
    trained = CheckpointModel(cfg.checkpoint)
    target = trained.target
    scoring = scoring_of(target)
    quality = scoring.quality
    data = open_data(cfg, trained)
    inputs, labels = data.arrays("test")
    expected = finite_outputs(cfg.checkpoint, trained, inputs, data.batch_size)

    def save_measured(
        name: str, model: onnx.ModelProto, path: Path
    ) -> tuple[NDArray[np.float32], Exported]:
        """Write the model, run the file on the test split, and write its metrics into it."""
        save(model, path, trained, {})
        outputs = finite_outputs(name, OnnxModel(path), inputs, data.batch_size)
        metrics = scoring.score(target.answers(outputs), labels)
        save(model, path, trained, metrics)
        difference = float(np.abs(outputs - expected).max()) / target.scale
        return outputs, Exported(metrics, difference)

    results = {}
    with replacing(Path(cfg.onnx)) as path:
        model = to_onnx(trained)
        outputs, exported = save_measured(cfg.onnx, model, path)
        disagreement = scoring.disagreement(outputs, expected)
        if disagreement or exported.difference > cfg.max_output_difference:
            raise UserError(
                f"{cfg.onnx} was not written: its outputs differ from the checkpoint's by up to "
                f"{exported.difference:.2g} (max_output_difference={cfg.max_output_difference})"
                f"{disagreement}"
            )
    results[cfg.onnx] = exported

    if cfg.quantize:
        with replacing(Path(cfg.int8)) as path:
            calibration = data.arrays("train")[0][: cfg.calibration_samples]
            int8 = to_int8(model, calibration, data.batch_size)
            _, quantized = save_measured(cfg.int8, int8, path)
            lost = quality.lost(exported.metrics[quality.name], quantized.metrics[quality.name])
            if lost > cfg.max_quality_loss:
                raise UserError(
                    f"{cfg.int8} was not written: it would lose {lost:.4f} of {quality.name} "
                    f"(max_quality_loss={cfg.max_quality_loss}); use {cfg.onnx}"
                )
        results[cfg.int8] = quantized

    for file, result in results.items():
        print(
            f"{file}: {Path(file).stat().st_size / 1e6:.2f} MB, "
            f"{quality.name} {quality.write(result.metrics[quality.name])}, largest difference of "
            f"an output {result.difference:.1e}"
        )
    return results


def finite_outputs(
    name: str, model: CheckpointModel | OnnxModel, inputs: NDArray[Any], batch_size: int
) -> NDArray[np.float32]:
    """Compute outputs of shape (samples, target.size).

    Args:
        name: The model's file, for the error.
        model: The model.
        inputs: Shape (samples, *input_spec.shape).
        batch_size: Samples in each batch but the last.

    Raises:
        UserError: An output is NaN or infinite. NaN must not reach the checks of an export: it is
            greater than no limit, so it would pass them.
    """
    outputs = in_batches(model.outputs, inputs, batch_size)
    if not np.isfinite(outputs).all():
        raise UserError(f"{name}: NaN or infinity on a test sample; nothing was written")
    return outputs


def to_onnx(trained: CheckpointModel) -> onnx.ModelProto:
    """Translate a network into an ONNX graph from `inputs` to outputs, for any batch size."""
    spec = trained.input_spec
    # The first axis counts samples; the others are those of a sample
    names = {0: "batch"} | {axis + 1: f"length_{axis}" for axis in spec.varying}
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        program: Any = torch.onnx.export(
            trained.network,
            (torch.from_numpy(spec.zeros(2)),),
            dynamo=True,
            dynamic_shapes=(names,),
            input_names=["inputs"],
            output_names=[trained.target.output],
            verbose=False,
        )
    model: onnx.ModelProto = program.model_proto
    return model


def to_int8(model: onnx.ModelProto, inputs: NDArray[Any], batch_size: int) -> onnx.ModelProto:
    """Quantise weights and activations to 8 bits, in the ranges that `inputs` cause.

    Sources: https://arxiv.org/abs/1712.05877 and
    https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html

    Args:
        model: The float model.
        inputs: Shape (samples, *input_spec.shape); none of the test split.
        batch_size: Samples in each batch but the last.
    """
    with TemporaryDirectory() as folder:
        names = ("given.onnx", "prepared.onnx", "quantized.onnx")
        given, prepared, quantized = (Path(folder, name) for name in names)
        onnx.save(model, given)
        # Symbolic shapes are not needed, and their inference fails for inputs of any length
        quant_pre_process(given, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            quantized,
            Calibration(inputs, batch_size),
            per_channel=True,
            # Unsigned activations are several times as fast on x86; with 7 bits for the weights, no
            # sum overflows on its processors without VNNI
            activation_type=QuantType.QUInt8,
            reduce_range=True,
            nodes_to_exclude=find_sensitive(onnx.load(prepared)),
        )
        return onnx.load(quantized)


def find_sensitive(model: onnx.ModelProto) -> list[str]:
    """Name the nodes of a graph that stay floats: normalisation and softmax, with its inputs.

    Attention adds a huge negative number to the scores of padding: 8 bits can't tell the others
    apart beside it.
    """
    nodes = model.graph.node
    scores = {name for node in nodes if node.op_type == "Softmax" for name in node.input}
    floats = {"LayerNormalization", "Softmax"}
    return [node.name for node in nodes if node.op_type in floats or scores & {*node.output}]


class Calibration(CalibrationDataReader):  # type: ignore[misc]
    """Hands inputs to the quantiser, batch by batch."""

    def __init__(self, inputs: NDArray[Any], batch_size: int) -> None:
        starts = range(0, len(inputs), batch_size)
        self.batches = ({"inputs": inputs[i : i + batch_size]} for i in starts)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """Return the next batch, or None after the last one."""
        return next(self.batches, None)


def save(
    model: onnx.ModelProto, path: Path, trained: CheckpointModel, metrics: dict[str, float]
) -> None:
    """Write a model and everything that serving it needs to one file."""
    properties = {
        "format": FORMAT,
        "classes": trained.classes,
        "input_spec": asdict(trained.input_spec),
        "preprocessing": trained.input_spec.preprocessing(),
        "data": trained.data,
        "metrics": metrics,
        "commit": trained.commit,
        "checkpoint": trained.digest,
    }
    onnx.helper.set_model_props(model, {key: json.dumps(properties[key]) for key in properties})
    onnx.save(model, path)
