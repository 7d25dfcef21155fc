"""A report on the data: what the samples are, what is true of them, and leaks between splits."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from ..datasets.base import build_data
from ..datasets.inputs import InputSpec
from ..datasets.splits import SPLITS
from ..inference.target import target_of
from .metrics import Labels
from .plots import check_samples
from .samples import draw_samples, profile
from .scoring import Scoring, scoring_of
from .text import shorten, to_markdown

Arrays = dict[str, tuple[NDArray[Any], Labels]]


def describe(cfg: DictConfig) -> str:
    """Describe the data set in `data.md` and draw samples of it in `data.png`, in `cfg.reports`.

    Args:
        cfg: `configs/describe.yaml`, composed.

    Returns:
        The text of `data.md`: tables in Markdown, which are printed too, and a Mermaid chart.

    Raises:
        UserError: The data set can't be prepared, or so many samples can't be drawn.
    """
    check_samples(cfg.samples)
    data = build_data(cfg.data)
    data.prepare_data()
    scoring = scoring_of(target_of(data.classes, data.input_spec))
    arrays = {split: data.arrays(split) for split in SPLITS}
    reports = Path(cfg.reports)
    reports.mkdir(parents=True, exist_ok=True)

    inputs, labels = arrays["train"]
    order = np.argsort(labels, kind="stable")
    index = order[np.linspace(0, len(order) - 1, min(cfg.samples, len(order)), dtype=int)]
    titles = [shorten(scoring.name(label)) for label in labels[index]]
    heading = f"Training samples of {data.folder}"
    figure = draw_samples(inputs[index], data.input_spec, titles, heading)
    figure.savefig(reports / "data.png", dpi=120)

    tables = describe_arrays(str(data.folder), scoring, data.input_spec, arrays)
    report = "\n".join([tables, *scoring.chart(labels)])
    (reports / "data.md").write_text(report, encoding="utf-8", errors="backslashreplace")
    print(tables)
    print(f"The report is {reports / 'data.md'}")
    return report


def describe_arrays(name: str, scoring: Scoring, spec: InputSpec, arrays: Arrays) -> str:
    """Describe a data set in Markdown: its samples, its leaks and what is true of the samples.

    Args:
        name: The name of the data set.
        scoring: What shows the labels.
        spec: What the inputs are.
        arrays: Inputs (samples, *spec.shape) and labels, by split.
    """
    labels = {split: labels for split, (_, labels) in arrays.items()}
    total = sum(len(inputs) for inputs, _ in arrays.values())
    lines = [
        f"# Data: {to_markdown(name)}",
        "",
        f"{total:,} samples of {spec} {scoring.label_kind()}.",
        "",
        f"| split | samples | {' | '.join(scoring.split_header)} |",
        f"|---|---|{'---|' * len(scoring.split_header)}",
    ]
    for split, own in labels.items():
        cells = map(to_markdown, scoring.split_cells(own))
        lines.append(f"| {split} | {len(own):,} | {' | '.join(cells)} |")
    lines += ["", *profile({split: inputs for split, (inputs, _) in arrays.items()}, spec)]
    lines += ["", *scoring.label_table(labels)]
    lines += [
        f"Samples of {split} that are training samples too: {found:,}."
        for split, found in leaks(arrays).items()
    ]
    return "\n".join(lines) + "\n"


def leaks(arrays: Arrays) -> dict[str, int]:
    """Count the samples of val and of test that are in train too."""
    seen = {sample.tobytes() for sample in arrays["train"][0]}
    return {
        split: sum(sample.tobytes() in seen for sample in arrays[split][0]) for split in SPLITS[1:]
    }
