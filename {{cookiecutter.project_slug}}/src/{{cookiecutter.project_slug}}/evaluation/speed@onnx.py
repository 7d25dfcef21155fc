"""What a prediction costs: the same model on each runtime, one image and a batch at a time."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from ..inference.checkpoint import CheckpointModel
from ..inference.onnx_model import OnnxModel
from .report import in_batches, open_data


@dataclass(frozen=True)
class Measured:
    """One line of the table.

    Attributes:
        runtime: What ran the model.
        batch: Images a call.
        p50: Median time of a call in microseconds.
        p99: Time that 99 of 100 calls stay below, in microseconds.
        rate: Images per second.
        megabytes: Size of the file, 1,000,000 bytes each.
        accuracy: On the test split, 0 to 1.
    """

    runtime: str
    batch: int
    p50: float
    p99: float
    rate: float
    megabytes: float
    accuracy: float


def benchmark(cfg: DictConfig) -> tuple[list[Measured], list[str]]:
    """Measure each runtime on images of the test split.

    Args:
        cfg: `configs/export.yaml`, composed; `cfg.benchmark` says how long and on how many threads.

    Returns:
        The lines of the table, and why a runtime is missing there.

    Raises:
        UserError: The checkpoint or the exported model is missing or does not fit the data.
    """
    threads = cfg.benchmark.threads
    eager = CheckpointModel(cfg.checkpoint, threads=threads)
    data = open_data(cfg, eager.classes, eager.image_shape)
    images, labels = data.arrays("test")
    compiled = CheckpointModel(cfg.checkpoint, threads=threads)
    compiled.network.compile()
    runtimes: list[tuple[str, str, CheckpointModel | OnnxModel]] = [
        ("PyTorch, eager", cfg.checkpoint, eager),
        ("PyTorch, compiled", cfg.checkpoint, compiled),
        ("ONNX Runtime", cfg.onnx, OnnxModel(cfg.onnx, threads=threads)),
    ]
    missing = []
    if Path(cfg.int8).is_file():
        runtimes.append(("ONNX Runtime, int8", cfg.int8, OnnxModel(cfg.int8, threads=threads)))
    else:
        missing.append(f"int8: there is no {cfg.int8}; `export --quantize` writes it")

    lines = []
    for name, path, model in runtimes:
        try:
            logits = in_batches(model.logits, images, data.batch_size)
        except RuntimeError as error:  # such as a missing C++ compiler
            missing.append(f"{name}: {str(error).splitlines()[0]}")
            continue
        accuracy = float((logits.argmax(axis=1) == labels).mean())
        size = Path(path).stat().st_size / 1e6
        for batch in cfg.benchmark.batch_sizes:
            some = np.resize(images, (batch, *images.shape[1:]))
            times = time_calls(model, some, cfg.benchmark.seconds)
            p50, p99 = np.percentile(times, [50, 99]) * 1e6
            lines.append(Measured(name, batch, p50, p99, batch / times.mean(), size, accuracy))
    return lines, missing


def time_calls(
    model: CheckpointModel | OnnxModel, images: NDArray[np.uint8], seconds: float
) -> NDArray[np.float64]:
    """Run a batch again and again for a while.

    Returns:
        The seconds that each call took, without those of the warm-up.
    """
    for _ in range(10):
        model.logits(images)
    times = []
    end = perf_counter() + seconds
    while (start := perf_counter()) < end:
        model.logits(images)
        times.append(perf_counter() - start)
    return np.array(times)
