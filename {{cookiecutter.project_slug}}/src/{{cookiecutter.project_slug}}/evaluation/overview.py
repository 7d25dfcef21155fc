"""The page that gathers the reports of an evaluation, for readers who want to see all at once."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from ..datasets.base import DataModule
from ..inference.predictor import Predictor
from .metrics import Metric, Predicted
from .page import Block, Drawing, Table, write_page
from .scoring import Scoring
from .slices import Slice, weakest_slices

MOST_SLICES = 10


def write_overview(
    reports: Path,
    predictor: Predictor,
    data: DataModule,
    scoring: Scoring,
    predicted: Predicted,
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
        scoring: How its predictions are scored and shown.
        predicted: What it predicts for the test split, a row for each sample.
        metrics: Its metrics.
        slices: The slices of the test split, the weakest first.
        figures: The names of the figures.
        count: How many of the worst mistakes are listed, at most.
        baseline: The metrics of a simpler model; empty where none was trained.
        extra: More sections, by title.
    """
    (inputs, labels), names = data.arrays("test"), data.names("test")
    drawn = {name: [Drawing(reports / f"{name}.png", scoring.captions[name])] for name in figures}
    models = [metrics, baseline] if baseline else [metrics]
    header = ["metric", "model", "baseline"][: 1 + len(models)]
    sections: dict[str, Sequence[Block]] = {
        "Model": [model_table(predictor, data, scoring)],
        "Metrics": [
            Table(
                header,
                [
                    [name.replace("_", " "), *(model.get(name, "") for model in models)]
                    for name in metrics
                ],
            )
        ],
        "Weakest slices": slice_blocks(slices, scoring.slice_score),
        "Worst mistakes": scoring.mistakes(
            predicted, labels, names, inputs, predictor.input_spec, count, drawn["mistakes"]
        ),
        **scoring.sections(predicted, labels, drawn),
        **extra,
        "Sample predictions": drawn["samples"],
    }
    if "learning_curves" in drawn:
        sections["Training"] = drawn["learning_curves"]
    write_page(reports / "index.html", f"Evaluation of {predictor.path}", sections)


def model_table(predictor: Predictor, data: DataModule, scoring: Scoring) -> Table:
    """List which model was tested, on which data."""
    facts = {
        "file": str(predictor.path),
        "version": predictor.version,
        "source commit": predictor.commit or "none",
        "data": str(data.folder),
        "test samples": f"{len(data.arrays('test')[1]):,}",
        **scoring.facts(),
        "input": str(predictor.input_spec),
    }
    return Table(["fact", "value"], list(facts.items()))


def slice_blocks(slices: Sequence[Slice], score: Metric) -> list[Block]:
    """List the weakest slices, whose score is a metric such as accuracy."""
    weakest = weakest_slices(slices, MOST_SLICES)
    if not weakest:
        return ["No slice of the test split is weaker than the rest."]
    rows = [
        [
            f"{part.feature} {part.value}",
            part.score,
            score.write_interval(part.low, part.high),
            part.samples,
            "perhaps" if part.by_chance else "no",
        ]
        for part in weakest
    ]
    paragraph = (
        f"The test split has {len(slices):,} slices, by what is true and by what else is known of "
        "the samples: slices.csv has all. Of so many, some are weak by chance alone."
    )
    header = ["slice", score.name, "95 % interval", "samples", "by chance"]
    return [paragraph, Table(header, rows)]
