"""The time of a prediction: the same model on each runtime, with one sample and with a batch."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from ..inference.checkpoint import CheckpointModel
from ..inference.onnx_model import OnnxModel
from .data import open_data
from .metrics import Metric, in_batches
from .scoring import scoring_of


@dataclass(frozen=True)
class Measured:
    """One line of the table.

    Attributes:
        runtime: Name of the runtime.
        batch: Samples in each call.
        p50: Median time of a call, in microseconds.
        p99: Time that 99 of 100 calls stay below, in microseconds.
        rate: Samples per second.
        megabytes: Size of the file, 1,000,000 bytes each.
        quality: The value of the metric that models are compared by, on the test split.
    """

    runtime: str
    batch: int
    p50: float
    p99: float
    rate: float
    megabytes: float
    quality: float


def benchmark(cfg: DictConfig) -> tuple[list[Measured], list[str]]:
    """Measure each runtime on samples of the test split and print a table.

    Args:
        cfg: `configs/export.yaml`, composed; `cfg.benchmark` sets the time and the threads.

    Returns:
        The lines of the table, and the reason for each runtime that could not be measured.

    Raises:
        UserError: The checkpoint or the exported model is missing or does not fit the data.
    """
    threads = cfg.benchmark.threads
    eager = CheckpointModel(cfg.checkpoint, threads=threads)
    scoring = scoring_of(eager.target)
    data = open_data(cfg, eager)
    inputs, labels = data.arrays("test")
    compiled = CheckpointModel(cfg.checkpoint, threads=threads)
    compiled.network.compile()
    runtimes: list[tuple[str, str, CheckpointModel | OnnxModel]] = [
        ("PyTorch, eager", cfg.checkpoint, eager),
        ("PyTorch, compiled", cfg.checkpoint, compiled),
        ("ONNX Runtime", cfg.onnx, OnnxModel(cfg.onnx, threads=threads)),
    ]
    not_measured = []
    if Path(cfg.int8).is_file():
        runtimes.append(("ONNX Runtime, int8", cfg.int8, OnnxModel(cfg.int8, threads=threads)))
    else:
        not_measured.append(f"int8: there is no {cfg.int8}; `export --quantize` writes it")

    lines = []
    for name, path, model in runtimes:
        try:
            outputs = in_batches(model.outputs, inputs, data.batch_size)
        except RuntimeError as error:  # such as a missing C++ compiler
            not_measured.append(f"{name}: {str(error).splitlines()[0]}")
            continue
        quality = scoring.score(eager.target.answers(outputs), labels)[scoring.quality.name]
        size = Path(path).stat().st_size / 1e6
        for batch in cfg.benchmark.batch_sizes:
            some = np.resize(inputs, (batch, *inputs.shape[1:]))
            times = time_calls(model, some, cfg.benchmark.seconds)
            p50, p99 = np.percentile(times, [50, 99]) * 1e6
            lines.append(Measured(name, batch, p50, p99, batch / times.mean(), size, quality))
    print_table(lines, scoring.quality, not_measured)
    return lines, not_measured


def print_table(lines: list[Measured], quality: Metric, not_measured: list[str]) -> None:
    """Print the table, and below it the reason for each runtime that is not in it."""
    table = Table("runtime", "batch", "p50 us", "p99 us", "samples/s", "file MB", quality.name)
    for line in lines:
        table.add_row(
            line.runtime,
            str(line.batch),
            f"{line.p50:.0f}",
            f"{line.p99:.0f}",
            f"{line.rate:,.0f}",
            f"{line.megabytes:.2f}",
            quality.write(line.quality),
        )
    Console().print(table)
    for reason in not_measured:
        print(f"Not measured: {reason}")


def time_calls(
    model: CheckpointModel | OnnxModel, inputs: NDArray[Any], seconds: float
) -> NDArray[np.float64]:
    """Run a batch again and again for `seconds`, after a warm-up of ten calls.

    Returns:
        The seconds of each call, without the warm-up.
    """
    for _ in range(10):
        model.outputs(inputs)
    times = []
    end = perf_counter() + seconds
    while (start := perf_counter()) < end:
        model.outputs(inputs)
        times.append(perf_counter() - start)
    return np.array(times)
