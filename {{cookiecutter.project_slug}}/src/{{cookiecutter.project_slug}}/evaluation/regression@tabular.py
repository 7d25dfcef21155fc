"""Numbers: how good the predictions of them are, and how reports show them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import norm

from ..datasets.inputs import InputSpec
from ..inference.number import Number, write_number
from .metrics import Labels, Metric, Predicted
from .page import Block, Drawing, Table
from .plots import check_samples
from .samples import draw_samples, show
from .slices import Groups, Slice, cut, group, rank
from .text import shorten_path, to_markdown, to_mermaid

Rows = Iterable[Sequence[object]]


class Regression:
    """Scores predictions of a number, and shows them; it has the same methods as `Classification`.

    Predictions and true values are numbers in the unit of the table, of shape (rows,).

    Args:
        target: The number.

    Attributes:
        quality: The metric by which models are compared: R2, the share of the spread of the true
            values that is explained. It is 1 at best and has no unit, as accuracy.
        metrics: The metrics of `score`, which each epoch of a training has too.
        slice_score: The metric of a slice.
        split_header: What `split_cells` returns.
        captions: What the figures show, for those who can't see them, by name.
    """

    quality: ClassVar[Metric] = Metric("r2", higher_is_better=True)
    slice_score: ClassVar[Metric] = Metric("mae", False, write_number, write_number)
    metrics: ClassVar[list[Metric]] = [
        Metric("loss", higher_is_better=False),
        Metric("rmse", False, write_number),
        slice_score,
        quality,
    ]
    split_header: ClassVar[list[str]] = ["lowest", "median", "highest"]
    captions: ClassVar[dict[str, str]] = {
        "learning_curves": "Loss, RMSE, MAE and R2 of training and validation over the epochs.",
        "predicted": "The predicted over the true value of each row. A right one is on the line.",
        "residuals": "The error of each row over its predicted value, and how often errors occur.",
        "mistakes": "The worst mistakes, each with its name, its value and the guess.",
        "samples": "Samples of the test split, each with its name, its value and the guess.",
    }

    def __init__(self, target: Number) -> None:
        self.target = target

    def name(self, label: float) -> str:
        """Write what is true of a row."""
        return write_number(label)

    def groups(self, labels: Labels) -> Groups:
        """Group rows by quarters of their number: the positions of those of each quarter."""
        return group(labels)

    def label_kind(self) -> str:
        """Say what is true of rows, as the end of a sentence."""
        return f"with a number to predict, {to_markdown(self.target.name)}"

    def split_cells(self, labels: Labels) -> list[str]:
        """Write the lowest, the middle and the highest number of a split."""
        return [self.name(value) for value in np.quantile(labels, [0, 0.5, 1])]

    def label_table(self, labels: Mapping[str, Labels]) -> list[str]:
        """List nothing: `split_cells` and `chart` show the numbers."""
        return []

    def chart(self, labels: Labels) -> list[str]:
        """Draw how often the numbers of training rows occur, as a Mermaid chart in Markdown.

        Args:
            labels: True values of the training rows, of shape (rows,).
        """
        counts, ends = np.histogram(labels, bins=20)
        return [
            "```mermaid",
            "xychart-beta",
            '    title "Training samples by their number"',
            f"    x-axis {to_mermaid(self.target.name)} {ends[0]:.6g} --> {ends[-1]:.6g}",
            f'    y-axis "samples" 0 --> {counts.max()}',
            f"    bar [{', '.join(str(count) for count in counts)}]",
            "```",
            "",
        ]

    def score(self, values: Predicted, labels: Labels) -> dict[str, float]:
        """Compute the loss (mean squared error of the standardised target), RMSE, MAE and R2.

        R2 is 0 where all true values are equal.
        """
        errors = values.astype(np.float64) - labels
        spread = float(((labels - labels.mean(dtype=np.float64)) ** 2).sum())
        return {
            "loss": float((errors**2).mean() / self.target.scale**2),
            "rmse": float(np.sqrt((errors**2).mean())),
            "mae": float(np.abs(errors).mean()),
            "r2": float(1 - (errors**2).sum() / spread) if spread else 0.0,
        }

    def measure(self, values: Predicted, labels: Labels) -> dict[str, float]:
        """Compute `metrics`."""
        return self.score(values, labels)

    def lost_and_gained(
        self, current: Predicted, candidate: Predicted, labels: Labels
    ) -> tuple[int, int]:
        """Count the rows for which one of two models is closer to the true value.

        Returns:
            Those for which the current model is, and those for which the candidate is.
        """
        before, after = (np.abs(values - labels) for values in (current, candidate))
        return int((before < after).sum()), int((after < before).sum())

    def explain(self, lost: int, gained: int) -> list[str]:
        """Say in two lines what `lost_and_gained` counted."""
        return [
            f"Test samples for which the current model is closer to the true value: {lost},",
            f"for which the candidate is: {gained}.",
        ]

    def disagreement(self, outputs: NDArray[np.float32], expected: NDArray[np.float32]) -> str:
        """Say nothing: how far the outputs of two models are apart says all about numbers."""
        return ""

    def slices(
        self, values: Predicted, labels: Labels, features: Mapping[str, NDArray[Any]]
    ) -> list[Slice]:
        """Cut the rows into slices: by quarters of the true value, and by each feature.

        A row whose error is above the mean of all counts as a mistake. The mean error of rows that
        are drawn at random, without putting them back, is nearly normal: the p-value of a slice and
        its interval come from that (Cochran 1977, Sampling Techniques, 2.5).

        Args:
            values: Predicted values.
            labels: True values.
            features: What is known of the rows, by name.

        Returns:
            The slices with their mean absolute errors, the weakest first.
        """
        errors = np.abs(values.astype(np.float64) - labels)
        parts = cut({self.target.name: self.groups(labels)}, features, len(labels))
        sizes = np.array([len(index) for *_, index in parts])
        means = np.array([errors[index].mean() for *_, index in parts])
        # Of one row, the deviation of all says how far it may be off
        whole = float(errors.std(ddof=1)) if len(errors) > 1 else 0.0
        own = [errors[index].std(ddof=1) if len(index) > 1 else whole for *_, index in parts]
        reach = 1.959964 * np.array(own) / np.sqrt(sizes)
        drawn = whole * np.sqrt((1 - sizes / len(errors)) / sizes)
        distance = (means - errors.mean()) / np.where(drawn > 0, drawn, np.inf)
        p_values = norm.sf(distance)
        low, high = np.maximum(means - reach, 0), means + reach
        return rank(parts, errors > errors.mean(), means.tolist(), low, high, p_values)

    def figures(
        self,
        inputs: NDArray[Any],
        spec: InputSpec,
        labels: Labels,
        values: Predicted,
        names: Sequence[str],
        count: int,
    ) -> dict[str, Figure]:
        """Draw predicted over true values, residuals, some predictions and the worst mistakes.

        Args:
            inputs: Shape (rows, columns).
            spec: What the inputs are.
            labels: True values.
            values: Predicted values.
            names: Where each row comes from.
            count: Number of rows in each of the last two figures, at most.

        Returns:
            Figures by name: `predicted`, `residuals`, `samples` and `mistakes`, the largest error
            first.

        Raises:
            UserError: `count` is no possible number of rows.
        """
        check_samples(count)
        worst = self.hardest(values, labels)[:count]
        samples = np.linspace(0, len(labels) - 1, min(count, len(labels)), dtype=int)

        def titles(index: NDArray[np.int64]) -> list[str]:
            return [
                f"{shorten_path(names[i])}\ntrue {self.name(labels[i])}\n"
                f"guess {self.name(values[i])}"
                for i in index
            ]

        heading = f"The {len(worst)} largest errors in {len(labels)} test samples"
        return {
            "predicted": predicted_figure(values, labels),
            "residuals": residuals_figure(values, labels),
            "mistakes": draw_samples(inputs[worst], spec, titles(worst), heading),
            "samples": draw_samples(inputs[samples], spec, titles(samples), "Sample predictions"),
        }

    def tables(
        self, names: Sequence[str], labels: Labels, values: Predicted
    ) -> dict[str, tuple[Sequence[str], Rows]]:
        """Make the table `predictions`, a header and a row for each row of the test split."""
        return {"predictions": self.answers(names, labels, values)}

    def hardest(self, values: Predicted, labels: Labels) -> NDArray[np.int64]:
        """Order the rows by their absolute errors, the largest first."""
        return np.argsort(-np.abs(values - labels), kind="stable")

    def answers(
        self, names: Sequence[str], labels: Labels, values: Predicted
    ) -> tuple[list[str], list[list[Any]]]:
        """Make a short table: a header, and for each row its name, values and absolute error."""
        # As text, a float32 has no more digits than it is exact to
        columns = (map(float, map(str, one)) for one in (labels, values, np.abs(values - labels)))
        rows = map(list, zip(names, *columns, strict=True))
        return ["name", "true", "predicted", "error"], list(rows)

    def facts(self) -> dict[str, str]:
        """List what a page of reports says about the model's answers."""
        mean, deviation = self.target.mean, self.target.scale
        return {
            "target": f"{self.target.name}: {write_number(mean)} on average, with a deviation of "
            f"{write_number(deviation)} in the training rows"
        }

    def sections(
        self, values: Predicted, labels: Labels, drawn: Mapping[str, Sequence[Drawing]]
    ) -> dict[str, Sequence[Block]]:
        """Make the sections of a page that only numbers have, by title."""
        return {"Predicted and true": drawn["predicted"], "Residuals": drawn["residuals"]}

    def mistakes(
        self,
        values: Predicted,
        labels: Labels,
        names: Sequence[str],
        inputs: NDArray[Any],
        spec: InputSpec,
        count: int,
        drawn: Sequence[Drawing],
    ) -> list[Block]:
        """List the rows with the largest errors.

        Args:
            values: Predicted values.
            labels: True values.
            names: Where each row comes from.
            inputs: Shape (rows, columns).
            spec: What the inputs are.
            count: How many are listed, at most.
            drawn: The figure of the worst mistakes.
        """
        worst = self.hardest(values, labels)[:count]
        header, rows = self.answers([names[i] for i in worst], labels[worst], values[worst])
        texts = [[*row, show(inputs[i], spec)] for row, i in zip(rows, worst, strict=True)]
        return ["The largest errors come first.", Table([*header, "sample"], texts)]


def predicted_figure(values: Predicted, labels: Labels) -> Figure:
    """Draw the predicted over the true values."""
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    ends = [min(labels.min(), values.min()), max(labels.max(), values.max())]
    axes.plot(ends, ends, "--", color="gray", label="right")
    axes.plot(labels, values, "o", alpha=0.5, markersize=4)
    axes.set(xlabel="true", ylabel="predicted", title="Predicted and true values")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
    return figure


def residuals_figure(values: Predicted, labels: Labels) -> Figure:
    """Draw the residuals, true minus predicted, over the predicted values, and their histogram."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[3, 1])
    residuals = labels - values
    left.plot(values, residuals, "o", alpha=0.5, markersize=4)
    left.axhline(0, linestyle="--", color="gray")
    left.set(xlabel="predicted", ylabel="true minus predicted", title="Residuals")
    right.hist(residuals, bins=30, orientation="horizontal")
    right.set(xlabel="samples")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure
