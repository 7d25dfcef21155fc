"""Evaluation of a checkpoint: metrics on the test split, tables and figures that explain them."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path

from omegaconf import DictConfig

from ..inference.predictor import Predictor
from .data import open_data
from .metrics import ClassMetrics, compute_metrics, in_batches, per_class
from .plots import History, learning_curves_figure, result_figures


def evaluate(cfg: DictConfig) -> dict[str, float]:
    """Evaluate a checkpoint on the test split, write the reports and print the metrics.

    Args:
        cfg: `configs/evaluate.yaml`, composed.

    Returns:
        Loss (mean cross-entropy in nats), accuracy and macro F1, the last two from 0 to 1.

    Raises:
        UserError: The checkpoint is missing, or does not fit the data.
    """
    predictor = Predictor(cfg.checkpoint, cfg.device)
    data = open_data(cfg, predictor)
    images, labels = data.arrays("test")
    probabilities = in_batches(predictor.probabilities, images, data.batch_size)
    metrics = compute_metrics(probabilities, labels)

    reports = Path(cfg.reports)
    reports.mkdir(parents=True, exist_ok=True)
    (reports / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    write_table(reports / "per_class.csv", per_class(probabilities, labels, predictor.classes))
    figures = result_figures(images, labels, probabilities, predictor.classes, cfg.pictures)
    history = Path(cfg.checkpoint).with_name("history.csv")
    if history.is_file():
        figures["learning_curves"] = learning_curves_figure(read_history(history))
    for name, figure in figures.items():
        figure.savefig(reports / f"{name}.png", dpi=120)

    for name, value in metrics.items():
        print(f"{name:<10}{value:.4f}")
    print(f"Reports are in {cfg.reports}")
    return metrics


def read_history(path: Path) -> History:
    """Read the learning curves that training wrote beside the checkpoint: one list per column."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def write_table(path: Path, rows: Iterable[ClassMetrics]) -> None:
    """Write the metrics of each class as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["class", "precision", "recall", "f1", "images"])
        for name, precision, recall, f1, images in rows:
            writer.writerow([name, f"{precision:.4f}", f"{recall:.4f}", f"{f1:.4f}", images])
