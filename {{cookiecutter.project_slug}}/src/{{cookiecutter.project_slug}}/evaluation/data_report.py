"""A report on the data: samples of each class, what they are, and leaks between the splits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from ..datasets.base import build_data
from ..datasets.inputs import InputSpec
from ..datasets.splits import SPLITS
from .metrics import Labels
from .plots import check_samples
from .samples import draw_samples, profile
from .text import shorten, to_markdown, to_mermaid

Arrays = dict[str, tuple[NDArray[Any], Labels]]

MOST_BARS = 50  # in a chart


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
    arrays = {split: data.arrays(split) for split in SPLITS}
    reports = Path(cfg.reports)
    reports.mkdir(parents=True, exist_ok=True)

    inputs, labels = arrays["train"]
    order = np.argsort(labels, kind="stable")
    index = order[np.linspace(0, len(order) - 1, min(cfg.samples, len(order)), dtype=int)]
    titles = [shorten(data.classes[label]) for label in labels[index]]
    heading = f"Training samples of {data.folder}"
    figure = draw_samples(inputs[index], data.input_spec, titles, heading)
    figure.savefig(reports / "data.png", dpi=120)

    tables = describe_arrays(str(data.folder), data.classes, data.input_spec, arrays)
    report = tables
    if len(data.classes) <= MOST_BARS:  # the names below more bars would cover each other
        report += f"\n{chart(data.classes, labels)}"
    (reports / "data.md").write_text(report, encoding="utf-8", errors="backslashreplace")
    print(tables)
    print(f"The report is {reports / 'data.md'}")
    return report


def describe_arrays(name: str, classes: Sequence[str], spec: InputSpec, arrays: Arrays) -> str:
    """Describe a data set in Markdown: its samples, its leaks and the samples of each class.

    Args:
        name: The name of the data set.
        classes: Class names, in the order of the labels.
        spec: What the inputs are.
        arrays: Inputs (samples, *spec.shape) and int64 labels, by split.
    """
    counts = {
        split: np.bincount(labels, minlength=len(classes)) for split, (_, labels) in arrays.items()
    }
    total = sum(int(count.sum()) for count in counts.values())
    lines = [
        f"# Data: {to_markdown(name)}",
        "",
        f"{total:,} samples of {spec} in {len(classes)} classes.",
        "",
        "| split | samples | smallest class | largest class |",
        "|---|---|---|---|",
    ]
    for split, (inputs, _) in arrays.items():
        small, large = int(counts[split].argmin()), int(counts[split].argmax())
        lines.append(
            f"| {split} | {len(inputs):,} "
            f"| {to_markdown(classes[small])}: {counts[split][small]:,} "
            f"| {to_markdown(classes[large])}: {counts[split][large]:,} |"
        )
    lines += ["", *profile({split: inputs for split, (inputs, _) in arrays.items()}, spec)]
    lines += ["", f"| class | {' | '.join(SPLITS)} |", f"|---|{'---|' * len(SPLITS)}"]
    lines += [
        f"| {to_markdown(label)} | {' | '.join(f'{counts[split][number]:,}' for split in SPLITS)} |"
        for number, label in enumerate(classes)
    ]
    lines.append("")
    lines += [
        f"Samples of {split} that are training samples too: {found:,}."
        for split, found in leaks(arrays).items()
    ]
    return "\n".join(lines) + "\n"


def chart(classes: Sequence[str], labels: Labels) -> str:
    """Draw the number of training samples of each class, as a Mermaid chart in Markdown.

    Args:
        classes: Class names, in the order of the labels.
        labels: Labels of the training samples, of shape (samples,).
    """
    counts = np.bincount(labels, minlength=len(classes))
    quoted = ", ".join(map(to_mermaid, classes))
    lines = [
        "```mermaid",
        "xychart-beta",
        '    title "Training samples of each class"',
        f"    x-axis [{quoted}]",
        f'    y-axis "samples" 0 --> {counts.max()}',
        f"    bar [{', '.join(str(count) for count in counts)}]",
        "```",
    ]
    return "\n".join(lines) + "\n"


def leaks(arrays: Arrays) -> dict[str, int]:
    """Count the samples of val and of test that are in train too."""
    seen = {sample.tobytes() for sample in arrays["train"][0]}
    return {
        split: sum(sample.tobytes() in seen for sample in arrays[split][0]) for split in SPLITS[1:]
    }
