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
from .calibration import calibration
from .data import open_data
from .metrics import Labels, Probabilities, compute_metrics, in_batches, per_class
from .overview import write_overview
from .page import Block
from .plots import learning_curves_figure, result_figures
from .samples import features
from .slices import HEADER, describe_slices, find_slices


def evaluate(cfg: DictConfig) -> dict[str, float]:
    """Evaluate a checkpoint on the test split, write the reports and print the metrics.

    Args:
        cfg: `configs/evaluate.yaml`, composed.

    Returns:
        Loss (mean cross-entropy in nats), accuracy, macro F1 and expected calibration error, the
        last three from 0 to 1.

    Raises:
        UserError: The checkpoint is missing or does not fit the data, or so many samples can't
            be drawn.
    """
    predictor = Predictor(cfg.checkpoint, cfg.device)
    classes = predictor.classes
    data = open_data(cfg, predictor)
    (inputs, labels), names = data.arrays("test"), data.names("test")

    def predict(inputs: NDArray[Any]) -> Probabilities:
        return in_batches(predictor.probabilities, inputs, data.batch_size)

    probabilities = predict(inputs)
    metrics = measure(probabilities, labels)
    compared: dict[str, float] = {}
    extra: dict[str, list[Block]] = {}
    if cfg.baseline:
        spec = predictor.input_spec
        simple = Baseline(*data.arrays("train"), spec)
        compared = measure(simple.probabilities(inputs), labels)
        extra[WHAT_COUNTS] = [what_counts(simple, predict, inputs, labels, classes, spec)]
    known = features(inputs, predictor.input_spec)
    slices = find_slices(probabilities, labels, classes, known)
    figures = result_figures(
        inputs, predictor.input_spec, labels, probabilities, classes, names, cfg.samples
    )

    reports = Path(cfg.reports)
    reports.mkdir(parents=True, exist_ok=True)
    (reports / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    header = ["class", "precision", "recall", "f1", "samples"]
    write_table(reports / "per_class.csv", header, per_class(probabilities, labels, classes))
    write_table(reports / "slices.csv", HEADER, (part.row for part in slices))
    header, rows = prediction_table(names, labels, probabilities, classes)
    write_table(reports / "predictions.csv", header, rows)
    history: list[dict[str, float]] = getattr(predictor.model, "history", [])
    if history:  # an exported model has none
        write_history(reports / "history.csv", history)
        columns = {name: [row.get(name, math.nan) for row in history] for name in history[0]}
        figures["learning_curves"] = learning_curves_figure(columns)
    for name, figure in figures.items():
        figure.savefig(reports / f"{name}.png", dpi=120)
    write_overview(
        reports,
        predictor,
        data,
        probabilities,
        metrics,
        slices,
        figures,
        cfg.samples,
        baseline=compared,
        extra=extra,
    )

    for name, value in metrics.items():
        print(f"{name:<19}{value:.4f}" + (f"   baseline {compared[name]:.4f}" if compared else ""))
    if compared:
        print(f"The baseline is {NAME}")
    for line in describe_slices(slices):
        print(line)
    print(f"Reports are in {cfg.reports}: open {reports / 'index.html'}")
    return metrics


def measure(probabilities: Probabilities, labels: Labels) -> dict[str, float]:
    """Compute the metrics of `compute_metrics`, and the expected calibration error, 0 to 1."""
    metrics = compute_metrics(probabilities, labels)
    return metrics | {"calibration_error": calibration(probabilities, labels).error}


def write_history(path: Path, epochs: list[dict[str, float]]) -> None:
    """Write the metrics of each epoch of the training as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, epochs[0], extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(epochs)


def prediction_table(
    names: Sequence[str], labels: Labels, probabilities: Probabilities, classes: Sequence[str]
) -> tuple[list[str], Iterable[Sequence[object]]]:
    """Make a table with a row for each sample.

    Args:
        names: Where each sample comes from.
        labels: True classes, of shape (samples,).
        probabilities: Shape (samples, classes), 0 to 1.
        classes: Class names.

    Returns:
        The header, and the rows: name, true class, predicted class, and the probability of each
        class in a column of its name. A class that is called like a column before it gets a `_`.
    """
    header = ["name", "true", "predicted"]
    for class_name in classes:
        column = class_name
        while column in header:
            column += "_"
        header.append(column)
    answers = zip(names, labels, probabilities.argmax(axis=1), probabilities, strict=True)
    return header, (
        [name, classes[true], classes[predicted], *row.tolist()]
        for name, true, predicted, row in answers
    )


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table as CSV, with six digits after the point."""
    # A name may be no valid text: such bytes are written as escapes
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        # Text is quoted, because csv does not see that a name with \r needs it
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(header)
        for row in rows:
            writer.writerow([round(x, 6) if isinstance(x, float) else x for x in row])
