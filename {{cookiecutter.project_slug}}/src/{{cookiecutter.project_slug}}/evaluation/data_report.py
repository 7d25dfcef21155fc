"""A report on the data: images of each class, their pixels, and leaks between the splits."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from ..datasets.base import build_data
from ..datasets.splits import SPLITS
from .metrics import Labels
from .plots import check_pictures, predictions_figure
from .text import shorten, to_markdown, to_mermaid

Arrays = dict[str, tuple[NDArray[np.uint8], Labels]]

MOST_BARS = 50  # in a chart


def describe(cfg: DictConfig) -> str:
    """Describe the data set in `data.md` and draw samples of it in `data.png`, in `cfg.reports`.

    Args:
        cfg: `configs/describe.yaml`, composed.

    Returns:
        The text of `data.md`: tables in Markdown, which are printed too, and a Mermaid chart.

    Raises:
        UserError: The data set can't be prepared, or so many pictures can't be drawn.
    """
    check_pictures(cfg.pictures)
    data = build_data(cfg.data)
    data.prepare_data()
    arrays = {split: data.arrays(split) for split in SPLITS}
    reports = Path(cfg.reports)
    reports.mkdir(parents=True, exist_ok=True)

    images, labels = arrays["train"]
    order = np.argsort(labels, kind="stable")
    index = order[np.linspace(0, len(order) - 1, min(cfg.pictures, len(order)), dtype=int)]
    titles = [shorten(data.classes[label]) for label in labels[index]]
    figure = predictions_figure(images[index], titles, f"Training images of {data.folder}")
    figure.savefig(reports / "data.png", dpi=120)

    tables = describe_arrays(str(data.folder), data.classes, data.image_shape, arrays)
    report = tables
    if len(data.classes) <= MOST_BARS:  # the names below more bars would cover each other
        report += f"\n{chart(data.classes, labels)}"
    (reports / "data.md").write_text(report, encoding="utf-8", errors="backslashreplace")
    print(tables)
    print(f"The report is {reports / 'data.md'}")
    return report


def describe_arrays(
    name: str, classes: Sequence[str], image_shape: Sequence[int], arrays: Arrays
) -> str:
    """Describe a data set in Markdown: its pixels, its leaks and the images of each class.

    Args:
        name: The name of the data set.
        classes: Class names, in the order of the labels.
        image_shape: Channels, height and width of an image, the sides in pixels.
        arrays: uint8 pixels (images, channels, height, width) and int64 labels, by split.
    """
    counts = {
        split: np.bincount(labels, minlength=len(classes)) for split, (_, labels) in arrays.items()
    }
    total = sum(int(count.sum()) for count in counts.values())
    shape = " x ".join(str(side) for side in image_shape)
    lines = [
        f"# Data: {to_markdown(name)}",
        "",
        f"{total:,} images of {shape} in {len(classes)} classes.",
        "",
        "| split | images | smallest class | largest class | pixel mean | pixel deviation |",
        "|---|---|---|---|---|---|",
    ]
    for split, (images, _) in arrays.items():
        small, large = int(counts[split].argmin()), int(counts[split].argmax())
        lines.append(
            f"| {split} | {len(images):,} "
            f"| {to_markdown(classes[small])}: {counts[split][small]:,} "
            f"| {to_markdown(classes[large])}: {counts[split][large]:,} "
            f"| {images.mean():.1f} | {images.std():.1f} |"
        )
    lines += ["", f"| class | {' | '.join(SPLITS)} |", f"|---|{'---|' * len(SPLITS)}"]
    lines += [
        f"| {to_markdown(label)} | {' | '.join(f'{counts[split][number]:,}' for split in SPLITS)} |"
        for number, label in enumerate(classes)
    ]
    lines.append("")
    lines += [
        f"Images of {split} that are training images too: {found:,}."
        for split, found in leaks(arrays).items()
    ]
    return "\n".join(lines) + "\n"


def chart(classes: Sequence[str], labels: Labels) -> str:
    """Draw the number of training images of each class, as a Mermaid chart in Markdown.

    Args:
        classes: Class names, in the order of the labels.
        labels: Labels of the training images, of shape (images,).
    """
    counts = np.bincount(labels, minlength=len(classes))
    quoted = ", ".join(map(to_mermaid, classes))
    lines = [
        "```mermaid",
        "xychart-beta",
        '    title "Training images of each class"',
        f"    x-axis [{quoted}]",
        f'    y-axis "images" 0 --> {counts.max()}',
        f"    bar [{', '.join(str(count) for count in counts)}]",
        "```",
    ]
    return "\n".join(lines) + "\n"


def leaks(arrays: Arrays) -> dict[str, int]:
    """Count the images of val and of test that are in train too, with the same pixels."""
    seen = {image.tobytes() for image in arrays["train"][0]}
    return {
        split: sum(image.tobytes() in seen for image in arrays[split][0]) for split in SPLITS[1:]
    }
