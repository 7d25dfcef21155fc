"""Classes: how good the predictions of them are, and how reports show them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import hypergeom
from sklearn.metrics import confusion_matrix

from ..datasets.inputs import InputSpec
from .calibration import calibration, calibration_figure
from .metrics import (
    Labels,
    Metric,
    Probabilities,
    compute_metrics,
    per_class,
    wilson_interval,
    worst_mistakes,
)
from .page import Block, Drawing, Table
from .plots import check_samples, confusion_matrix_figure
from .samples import draw_samples, show
from .slices import Groups, Slice, cut, rank
from .text import shorten, shorten_path, to_markdown, to_mermaid

Rows = Iterable[Sequence[object]]

MOST_BARS = 50  # in a chart
CALIBRATION = (
    "The expected calibration error is the mean distance of the points to the diagonal. The "
    "smaller it is, the better a probability says how often the model is right."
)


class Classification:
    """Scores predictions of classes, and shows them in tables and figures.

    Predictions are probabilities of shape (samples, classes), 0 to 1; labels are true classes of
    shape (samples,).

    Args:
        classes: Class names, in the order of the labels.

    Attributes:
        quality: The metric by which models are compared.
        metrics: The metrics of `score`, which each epoch of a training has too.
        slice_score: The metric of a slice.
        split_header: What `split_cells` returns.
        captions: What the figures show, for those who can't see them, by name.
    """

    quality: ClassVar[Metric] = Metric("accuracy", higher_is_better=True)
    slice_score: ClassVar[Metric] = quality
    metrics: ClassVar[list[Metric]] = [
        Metric("loss", higher_is_better=False),
        quality,
        Metric("f1", higher_is_better=True),
    ]
    split_header: ClassVar[list[str]] = ["smallest class", "largest class"]
    captions: ClassVar[dict[str, str]] = {
        "learning_curves": "Loss, accuracy and F1 of training and validation over the epochs.",
        "confusion_matrix": "How often each true class was taken for each other class.",
        "calibration": "Accuracy over confidence, in bins. A well calibrated model is on the "
        "diagonal.",
        "mistakes": "The worst mistakes, each with its name, its class and the guess.",
        "samples": "Samples of the test split, each with its name, its class and the guess.",
    }

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = classes

    def name(self, label: int) -> str:
        """Name what is true of a sample."""
        return self.classes[label]

    def groups(self, labels: Labels) -> Groups:
        """Group samples by their class: the positions of those of each class that occurs."""
        groups = {name: np.flatnonzero(labels == k) for k, name in enumerate(self.classes)}
        return {name: index for name, index in groups.items() if len(index)}

    def label_kind(self) -> str:
        """Say what is true of samples, as the end of a sentence."""
        return f"in {len(self.classes)} classes"

    def split_cells(self, labels: Labels) -> list[str]:
        """Name the smallest and the largest class of a split."""
        counts = np.bincount(labels, minlength=len(self.classes))
        places = int(counts.argmin()), int(counts.argmax())
        return [f"{self.classes[place]}: {counts[place]:,}" for place in places]

    def label_table(self, labels: Mapping[str, Labels]) -> list[str]:
        """List the samples of each class in Markdown.

        Args:
            labels: Labels of shape (samples,), by split.
        """
        counts = [np.bincount(one, minlength=len(self.classes)) for one in labels.values()]
        lines = [f"| class | {' | '.join(labels)} |", f"|---|{'---|' * len(labels)}"]
        for number, name in enumerate(self.classes):
            cells = [f"{count[number]:,}" for count in counts]
            lines.append(f"| {to_markdown(name)} | {' | '.join(cells)} |")
        return [*lines, ""]

    def chart(self, labels: Labels) -> list[str]:
        """Draw the number of training samples of each class, as a Mermaid chart in Markdown.

        Args:
            labels: Labels of the training samples, of shape (samples,).

        Returns:
            Its lines; none for many classes, as the names below the bars would cover each other.
        """
        if len(self.classes) > MOST_BARS:
            return []
        counts = np.bincount(labels, minlength=len(self.classes))
        return [
            "```mermaid",
            "xychart-beta",
            '    title "Training samples of each class"',
            f"    x-axis [{', '.join(map(to_mermaid, self.classes))}]",
            f'    y-axis "samples" 0 --> {counts.max()}',
            f"    bar [{', '.join(str(count) for count in counts)}]",
            "```",
            "",
        ]

    def score(self, probabilities: Probabilities, labels: Labels) -> dict[str, float]:
        """Compute `metrics`, as `compute_metrics` does."""
        return compute_metrics(probabilities, labels)

    def measure(self, probabilities: Probabilities, labels: Labels) -> dict[str, float]:
        """Compute `metrics` and the expected calibration error, 0 to 1."""
        error = calibration(probabilities, labels).error
        return self.score(probabilities, labels) | {"calibration_error": error}

    def lost_and_gained(
        self, current: Probabilities, candidate: Probabilities, labels: Labels
    ) -> tuple[int, int]:
        """Count the samples that only one of two models classifies correctly.

        Returns:
            Those that only the current model does, and those that only the candidate does.
        """
        before, after = (answer.argmax(axis=1) == labels for answer in (current, candidate))
        return int((before & ~after).sum()), int((after & ~before).sum())

    def explain(self, lost: int, gained: int) -> list[str]:
        """Say in two lines what `lost_and_gained` counted."""
        return [
            f"Test samples that only the current model classifies correctly: {lost},",
            f"that only the candidate classifies correctly: {gained}.",
        ]

    def disagreement(self, logits: NDArray[np.float32], expected: NDArray[np.float32]) -> str:
        """Say how many samples have another class than expected, after what else is wrong.

        Args:
            logits: Logits of a model, of shape (samples, classes).
            expected: Logits of the model that it should agree with, of the same shape.

        Returns:
            The end of a sentence; an empty text if there are none.
        """
        changed = int((logits.argmax(axis=1) != expected.argmax(axis=1)).sum())
        if not changed:
            return ""
        return f", and {changed} of {len(logits)} test samples change their class"

    def slices(
        self, probabilities: Probabilities, labels: Labels, features: Mapping[str, NDArray[Any]]
    ) -> list[Slice]:
        """Cut the samples into slices: by their classes, and by each feature.

        The p-value of a slice is that of Fisher's exact test of the slice against the rest.

        Args:
            probabilities: Shape (samples, classes), 0 to 1.
            labels: True classes, of shape (samples,).
            features: What is known of the samples, by name.

        Returns:
            The slices with their accuracies, the weakest first.
        """
        wrong = probabilities.argmax(axis=1) != labels
        parts = cut({"class": self.groups(labels)}, features, len(labels))
        samples = np.array([len(index) for *_, index in parts], dtype=np.int64)
        found = np.array([wrong[index].sum() for *_, index in parts], dtype=np.int64)
        low, high = wilson_interval(samples - found, samples)
        p_values = hypergeom.sf(found - 1, len(wrong), wrong.sum(), samples)
        scores = [float(1 - wrong[index].mean()) for *_, index in parts]
        return rank(parts, wrong, scores, low, high, p_values)

    def figures(
        self,
        inputs: NDArray[Any],
        spec: InputSpec,
        labels: Labels,
        probabilities: Probabilities,
        names: Sequence[str],
        count: int,
    ) -> dict[str, Figure]:
        """Draw the confusion matrix, the calibration, some predictions and the worst mistakes.

        Args:
            inputs: Shape (samples, *spec.shape).
            spec: What the inputs are.
            labels: int64 labels of shape (samples,).
            probabilities: Shape (samples, classes).
            names: Where each sample comes from.
            count: Number of samples in each of the last two figures, at most.

        Returns:
            Figures by name: `confusion_matrix`, `calibration`, `samples` and `mistakes`, the
            mistake with the highest probability first.

        Raises:
            UserError: `count` is no possible number of samples.
        """
        check_samples(count)
        predicted = probabilities.argmax(axis=1)
        confidence = probabilities.max(axis=1)
        wrong = np.count_nonzero(predicted != labels)
        worst = worst_mistakes(probabilities, labels, count)
        samples = np.linspace(0, len(labels) - 1, min(count, len(labels)), dtype=int)

        def titles(index: NDArray[np.int64]) -> list[str]:
            return [
                f"{shorten_path(names[i])}\ntrue {shorten(self.classes[labels[i]], 16)}\n"
                f"guess {shorten(self.classes[predicted[i]], 12)} ({confidence[i]:.0%})"
                for i in index
            ]

        matrix = confusion_matrix(labels, predicted, labels=list(range(len(self.classes))))
        heading = f"The {len(worst)} worst of {wrong} mistakes in {len(labels)} test samples"
        return {
            "confusion_matrix": confusion_matrix_figure(matrix, self.classes),
            "calibration": calibration_figure(calibration(probabilities, labels)),
            "mistakes": draw_samples(inputs[worst], spec, titles(worst), heading),
            "samples": draw_samples(inputs[samples], spec, titles(samples), "Sample predictions"),
        }

    def tables(
        self, names: Sequence[str], labels: Labels, probabilities: Probabilities
    ) -> dict[str, tuple[Sequence[str], Rows]]:
        """Make the tables `per_class` and `predictions`, each a header and rows.

        `predictions` has a row for each sample: name, true class, predicted class, and the
        probability of each class in a column of its name. A class that is called like a column
        before it gets a `_`.

        Args:
            names: Where each sample comes from.
            labels: True classes, of shape (samples,).
            probabilities: Shape (samples, classes), 0 to 1.
        """
        header = ["name", "true", "predicted"]
        for class_name in self.classes:
            column = class_name
            while column in header:
                column += "_"
            header.append(column)
        answers = zip(names, labels, probabilities.argmax(axis=1), probabilities, strict=True)
        rows = (
            [name, self.classes[true], self.classes[predicted], *row.tolist()]
            for name, true, predicted, row in answers
        )
        by_class = ["class", "precision", "recall", "f1", "samples"]
        return {
            "per_class": (by_class, per_class(probabilities, labels, self.classes)),
            "predictions": (header, rows),
        }

    def hardest(self, probabilities: Probabilities, labels: Labels) -> NDArray[np.int64]:
        """Order the samples by the probability of their true class, the lowest first."""
        return probabilities[range(len(labels)), labels].argsort()

    def answers(
        self, names: Sequence[str], labels: Labels, probabilities: Probabilities
    ) -> tuple[list[str], list[list[Any]]]:
        """Make a short table for trackers: a header, and a row for each sample."""
        rows = [
            [name, self.classes[label], self.classes[row.argmax()], float(row.max())]
            for name, label, row in zip(names, labels, probabilities, strict=True)
        ]
        return ["name", "true", "predicted", "probability"], rows

    def facts(self) -> dict[str, str]:
        """List what a page of reports says about the model's answers."""
        return {"classes": f"{len(self.classes):,}"}

    def sections(
        self, probabilities: Probabilities, labels: Labels, drawn: Mapping[str, Sequence[Drawing]]
    ) -> dict[str, Sequence[Block]]:
        """Make the sections of a page that only classes have, by title.

        Args:
            probabilities: Shape (samples, classes), 0 to 1.
            labels: True classes, of shape (samples,).
            drawn: The figures, by name.
        """
        rows = sorted(per_class(probabilities, labels, self.classes), key=lambda row: row.f1)
        table = Table(["class", "precision", "recall", "F1", "samples"], rows)
        return {
            "Classes": [*drawn["confusion_matrix"], table],
            "Calibration": [CALIBRATION, *drawn["calibration"]],
        }

    def mistakes(
        self,
        probabilities: Probabilities,
        labels: Labels,
        names: Sequence[str],
        inputs: NDArray[Any],
        spec: InputSpec,
        count: int,
        drawn: Sequence[Drawing],
    ) -> list[Block]:
        """List the worst mistakes, with the samples themselves: as texts, or in the figure.

        Args:
            probabilities: Shape (samples, classes), 0 to 1.
            labels: True classes, of shape (samples,).
            names: Where each sample comes from.
            inputs: Shape (samples, *spec.shape).
            spec: What the inputs are.
            count: How many are listed, at most.
            drawn: The figure of the worst mistakes.
        """
        worst = worst_mistakes(probabilities, labels, count)
        wrong = np.count_nonzero(probabilities.argmax(axis=1) != labels)
        summary = f"{wrong:,} of {len(labels):,} test samples are classified wrongly."
        if not len(worst):
            return [summary]
        summary += " The mistakes that the model is most sure of come first."
        header, rows = self.answers([names[i] for i in worst], labels[worst], probabilities[worst])
        header[2] = "guess"
        shown = [show(inputs[i], spec) for i in worst]
        if isinstance(shown[0], str):
            texts = [[*row, text] for row, text in zip(rows, shown, strict=True)]
            return [summary, Table([*header, "sample"], texts)]
        return [summary, *drawn, Table(header, rows)]
