"""Evaluation of a checkpoint: metrics on the test split, tables and figures that explain them."""

import csv
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from omegaconf import DictConfig

from ..inference.predictor import Predictor
from .baseline import NAME, WHAT_COUNTS, Baseline, what_counts
from .data import open_data
from .metrics import Predicted, in_batches
from .overview import write_overview
from .page import Block
from .plots import learning_curves_figure
from .samples import features
from .scoring import scoring_of
from .slices import describe_slices, header


def evaluate(cfg: DictConfig) -> dict[str, float]:
    """Evaluate a checkpoint on the test split, write the reports and print the metrics.

    Args:
        cfg: `configs/evaluate.yaml`, composed.

    Returns:
        The metrics of the test split by name, such as `accuracy`.

    Raises:
        UserError: The checkpoint is missing or does not fit the data, or so many samples can't
            be drawn.
    """
    predictor = Predictor(cfg.checkpoint, cfg.device)
    classes = predictor.classes
    scoring = scoring_of(predictor.target)
    data = open_data(cfg, predictor)
    (inputs, labels), names = data.arrays("test"), data.names("test")

    def predict(inputs: NDArray[Any]) -> Predicted:
        return in_batches(predictor.predict, inputs, data.batch_size)

    predicted = predict(inputs)
    metrics = scoring.measure(predicted, labels)
    compared: dict[str, float] = {}
    extra: dict[str, list[Block]] = {}
    if cfg.baseline:
        spec = predictor.input_spec
        simple = Baseline(*data.arrays("train"), spec)
        compared = scoring.measure(simple.predict(inputs), labels)
        extra[WHAT_COUNTS] = [what_counts(simple, predict, inputs, labels, classes, spec)]
    known = features(inputs, predictor.input_spec)
    slices = scoring.slices(predicted, labels, known)
    figures = scoring.figures(inputs, predictor.input_spec, labels, predicted, names, cfg.samples)

    reports = Path(cfg.reports)
    reports.mkdir(parents=True, exist_ok=True)
    (reports / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    for name, (columns, rows) in scoring.tables(names, labels, predicted).items():
        write_table(reports / f"{name}.csv", columns, rows)
    rows = (part.row for part in slices)
    write_table(reports / "slices.csv", header(scoring.slice_score.name), rows)
    history: list[dict[str, float]] = getattr(predictor.model, "history", [])
    if history:  # an exported model has none
        write_history(reports / "history.csv", history)
        curves = {name: [row.get(name, math.nan) for row in history] for name in history[0]}
        shown = [metric.name for metric in scoring.metrics]
        figures["learning_curves"] = learning_curves_figure(curves, shown)
    for name, figure in figures.items():
        figure.savefig(reports / f"{name}.png", dpi=120)
    write_overview(
        reports,
        predictor,
        data,
        scoring,
        predicted,
        metrics,
        slices,
        figures,
        cfg.samples,
        baseline=compared,
        extra=extra,
    )

    forms = {metric.name: metric.write for metric in scoring.metrics}
    for name, value in metrics.items():
        write = forms.get(name, scoring.quality.write)
        beside = f"   baseline {write(compared[name])}" if compared else ""
        print(f"{name:<19}{write(value)}{beside}")
    if compared:
        print(f"The baseline is {NAME}")
    for line in describe_slices(slices, scoring.slice_score):
        print(line)
    print(f"Reports are in {cfg.reports}: open {reports / 'index.html'}")
    return metrics


def write_history(path: Path, epochs: list[dict[str, float]]) -> None:
    """Write the metrics of each epoch of the training as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, epochs[0], extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(epochs)


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table as CSV, with seven digits, as many as a float32 has."""
    # A name may be no valid text: such bytes are written as escapes
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        # Text is quoted, because csv does not see that a name with \r needs it
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(header)
        for row in rows:
            writer.writerow([float(f"{x:.7g}") if isinstance(x, float) else x for x in row])
