"""Calibration: of the predictions with a probability of 0.9, are nine in ten right?"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .metrics import Labels, Probabilities, wilson_interval

# As many as in the article below, so that errors can be compared with published ones
BINS = 15


@dataclass(frozen=True)
class Calibration:
    """Predictions in bins of similar confidence, which is the highest probability of a sample.

    All bins have the same width; those without a sample are left out.

    Attributes:
        samples: Number of samples in each bin, of shape (bins,).
        confidence: Their mean confidence, of shape (bins,), 0 to 1.
        accuracy: The share of them that is classified correctly, of shape (bins,), 0 to 1.
    """

    samples: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def error(self) -> float:
        """The expected calibration error: the mean distance of confidence and accuracy, 0 to 1.

        Each bin counts by its samples (Guo et al. 2017, https://arxiv.org/abs/1706.04599, 3).
        """
        return float(np.average(np.abs(self.accuracy - self.confidence), weights=self.samples))


def calibration(probabilities: Probabilities, labels: Labels) -> Calibration:
    """Sort predictions into bins by their confidence.

    Args:
        probabilities: Shape (samples, classes), 0 to 1.
        labels: True classes, of shape (samples,).
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bins = np.ceil(confidence * BINS).astype(np.int64).clip(1, BINS) - 1
    samples = np.bincount(bins, minlength=BINS)
    filled = samples > 0

    def means(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(bins, values, minlength=BINS)[filled] / samples[filled]

    return Calibration(samples[filled], means(confidence), means(right.astype(np.float64)))


def calibration_figure(measured: Calibration) -> Figure:
    """Draw a reliability diagram: the accuracy of each bin over its confidence.

    The accuracies have 95 % confidence intervals, and the samples of each bin stand below.
    """
    figure = Figure(figsize=(5, 5.5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    right = np.rint(measured.accuracy * measured.samples).astype(np.int64)
    low, high = wilson_interval(right, measured.samples)
    reach = np.stack([measured.accuracy - low, high - measured.accuracy]).clip(0)
    upper.plot([0, 1], [0, 1], "--", color="gray", label="well calibrated")
    upper.errorbar(
        measured.confidence, measured.accuracy, reach, fmt="o", capsize=3, label="this model"
    )
    upper.set(
        title=f"Expected calibration error {measured.error:.4f}", ylabel="accuracy", ylim=(0, 1.02)
    )
    upper.legend(loc="upper left")
    lower.bar(measured.confidence, measured.samples, width=0.8 / BINS)
    lower.set(xlabel="confidence", ylabel="samples", xlim=(0, 1.02))
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
    return figure
