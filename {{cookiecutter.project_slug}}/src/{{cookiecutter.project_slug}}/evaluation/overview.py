"""The page that gathers the reports of an evaluation, for readers who want to see all at once."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..datasets.base import DataModule
from ..inference.predictor import Predictor
from .metrics import Labels, Probabilities, per_class, worst_mistakes
from .page import Block, Drawing, Table, write_page
from .samples import show
from .slices import Slice, weakest_slices

MOST_SLICES = 10
CALIBRATION = (
    "The expected calibration error is the mean distance of the points to the diagonal. The "
    "smaller it is, the better a probability says how often the model is right."
)
# What each figure shows, for those who can't see it
FIGURES = {
    "learning_curves": "Loss, accuracy and F1 of training and validation over the epochs.",
    "confusion_matrix": "How often each true class was taken for each other class.",
    "calibration": "Accuracy over confidence, in bins. A well calibrated model is on the diagonal.",
    "mistakes": "The worst mistakes, each with its name, its class and the guess.",
    "samples": "Samples of the test split, each with its name, its class and the guess.",
}


def write_overview(
    reports: Path,
    predictor: Predictor,
    data: DataModule,
    probabilities: Probabilities,
    metrics: Mapping[str, float],
    slices: Sequence[Slice],
    figures: Collection[str],
    count: int,
    baseline: Mapping[str, float],
    extra: Mapping[str, Sequence[Block]],
) -> None:
    """Write `index.html` into the folder of the reports.

    Args:
        reports: The folder, which holds the figures.
        predictor: The model.
        data: The data that it was tested on.
        probabilities: Its answers on the test split, of shape (samples, classes), 0 to 1.
        metrics: Its metrics.
        slices: The slices of the test split, the weakest first.
        figures: The names of the figures.
        count: How many of the worst mistakes are listed, at most.
        baseline: The metrics of a simpler model; empty where none was trained.
        extra: More sections, by title.
    """
    labels = data.arrays("test")[1]
    drawn = {name: [Drawing(reports / f"{name}.png", FIGURES[name])] for name in figures}
    models = [metrics, baseline] if baseline else [metrics]
    header = ["metric", "model", "baseline"][: 1 + len(models)]
    sections: dict[str, Sequence[Block]] = {
        "Model": [model_table(predictor, data)],
        "Metrics": [
            Table(
                header,
                [
                    [name.replace("_", " "), *(model.get(name, "") for model in models)]
                    for name in metrics
                ],
            )
        ],
        "Weakest slices": slice_blocks(slices),
        "Worst mistakes": mistake_blocks(predictor, data, labels, probabilities, count, drawn),
        "Classes": [
            *drawn["confusion_matrix"],
            class_table(probabilities, labels, predictor.classes),
        ],
        "Calibration": [CALIBRATION, *drawn["calibration"]],
        **extra,
        "Sample predictions": drawn["samples"],
    }
    if "learning_curves" in drawn:
        sections["Training"] = drawn["learning_curves"]
    write_page(reports / "index.html", f"Evaluation of {predictor.path}", sections)


def model_table(predictor: Predictor, data: DataModule) -> Table:
    """List which model was tested, on which data."""
    facts = {
        "file": str(predictor.path),
        "version": predictor.version,
        "source commit": predictor.commit or "none",
        "data": str(data.folder),
        "test samples": f"{len(data.arrays('test')[1]):,}",
        "classes": f"{len(predictor.classes):,}",
        "input": str(predictor.input_spec),
    }
    return Table(["fact", "value"], list(facts.items()))


def slice_blocks(slices: Sequence[Slice]) -> list[Block]:
    """List the weakest slices."""
    weakest = weakest_slices(slices, MOST_SLICES)
    if not weakest:
        return ["No slice of the test split is weaker than the rest."]
    rows = [
        [
            f"{part.feature} {part.value}",
            part.accuracy,
            f"{part.low:.3f} to {part.high:.3f}",
            part.samples,
            "perhaps" if part.by_chance else "no",
        ]
        for part in weakest
    ]
    paragraph = (
        f"The test split has {len(slices):,} slices, by class and by what else is known of the "
        "samples: slices.csv has all. Of so many, some are weak by chance alone."
    )
    header = ["slice", "accuracy", "95 % interval", "samples", "by chance"]
    return [paragraph, Table(header, rows)]


def mistake_blocks(
    predictor: Predictor,
    data: DataModule,
    labels: Labels,
    probabilities: Probabilities,
    count: int,
    drawn: Mapping[str, Sequence[Drawing]],
) -> list[Block]:
    """List the worst mistakes, with the samples themselves: as texts, or in the figure."""
    classes, names, inputs = predictor.classes, data.names("test"), data.arrays("test")[0]
    worst = worst_mistakes(probabilities, labels, count)
    wrong = np.count_nonzero(probabilities.argmax(axis=1) != labels)
    summary = f"{wrong:,} of {len(labels):,} test samples are classified wrongly."
    if not len(worst):
        return [summary]
    summary += " The mistakes that the model is most sure of come first."
    header = ["name", "true", "guess", "probability"]
    rows = [
        [names[i], classes[labels[i]], classes[probabilities[i].argmax()], probabilities[i].max()]
        for i in worst
    ]
    shown = [show(inputs[i], predictor.input_spec) for i in worst]
    if isinstance(shown[0], str):
        texts = [[*row, text] for row, text in zip(rows, shown, strict=True)]
        return [summary, Table([*header, "sample"], texts)]
    return [summary, *drawn["mistakes"], Table(header, rows)]


def class_table(probabilities: Probabilities, labels: Labels, classes: Sequence[str]) -> Table:
    """List the metrics of the classes, the lowest F1 first."""
    rows = sorted(per_class(probabilities, labels, classes), key=lambda row: row.f1)
    return Table(["class", "precision", "recall", "F1", "samples"], rows)
