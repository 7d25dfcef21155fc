"""Numbers that say how good predictions are."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss, precision_recall_fscore_support

from .. import UserError

# What a model predicts, a row for each sample: the probability of each class, 0 to 1
Predicted = NDArray[np.float32]
Probabilities = NDArray[np.float32]
# What is true of each sample: the number of its class, from 0
Labels = NDArray[Any]


@dataclass(frozen=True)
class Metric:
    """A number that says how good predictions are, and which way is better.

    Attributes:
        name: Its name, as in `metrics.json`.
        higher_is_better: Whether a better model has a higher value, as of accuracy, or a lower one,
            as of loss.
        write: Writes a value for people.
        write_end: Writes an end of an interval of values.
    """

    name: str
    higher_is_better: bool
    write: Callable[[float], str] = "{:.4f}".format
    write_end: Callable[[float], str] = "{:.3f}".format

    def lost(self, before: float, after: float) -> float:
        """Compute how much worse `after` is than `before`; a negative number if it is better."""
        lost = before - after if self.higher_is_better else after - before
        return round(lost, 12)  # 0.95 - 0.94 is 0.01, and no more

    def write_interval(self, low: float, high: float) -> str:
        """Write an interval of values for people."""
        return f"{self.write_end(low)} to {self.write_end(high)}"


def in_batches(
    run: Callable[[NDArray[Any]], NDArray[np.float32]],
    inputs: NDArray[Any],
    batch_size: int,
) -> NDArray[np.float32]:
    """Run any number of samples, one batch in memory at a time.

    Args:
        run: Takes a batch and returns a row for each sample, such as `Predictor.probabilities`.
        inputs: Shape (samples, *shape of an input).
        batch_size: Samples in each batch but the last.

    Returns:
        The rows of all batches, of shape (samples, classes).
    """
    starts = range(0, len(inputs), batch_size)
    return np.concatenate([run(inputs[i : i + batch_size]) for i in starts])


def compute_metrics(probabilities: Probabilities, labels: Labels) -> dict[str, float]:
    """Compute loss (mean cross-entropy in nats), accuracy and macro F1 (0 to 1).

    Args:
        probabilities: Shape (samples, classes), 0 to 1.
        labels: True classes, of shape (samples,).

    Raises:
        UserError: A probability is NaN.
    """
    if np.isnan(probabilities).any():
        raise UserError("the model's probabilities are NaN: train it again, at a lower rate")
    predicted = probabilities.argmax(axis=1)
    classes = range(probabilities.shape[1])
    f1 = precision_recall_fscore_support(labels, predicted, average="macro", zero_division=0)[2]
    return {
        "loss": float(log_loss(labels, probabilities, labels=list(classes))),
        "accuracy": float((predicted == labels).mean()),
        "f1": float(f1),
    }


class ClassMetrics(NamedTuple):
    """Precision, recall and F1 of one class, 0 to 1, and the number of its samples."""

    label: str
    precision: float
    recall: float
    f1: float
    samples: int


def per_class(
    probabilities: Probabilities, labels: Labels, classes: Sequence[str]
) -> Iterator[ClassMetrics]:
    """Compute the metrics of each class, in the order of `classes`.

    Args:
        probabilities: Shape (samples, classes), 0 to 1.
        labels: True classes, of shape (samples,).
        classes: Class names.
    """
    columns = precision_recall_fscore_support(
        labels, probabilities.argmax(axis=1), labels=list(range(len(classes))), zero_division=0
    )
    return map(ClassMetrics, classes, *columns)


def worst_mistakes(probabilities: Probabilities, labels: Labels, count: int) -> NDArray[np.int64]:
    """Find the mistakes that the model is most sure of.

    Args:
        probabilities: Shape (samples, classes), 0 to 1.
        labels: True classes, of shape (samples,).
        count: How many mistakes to find, at most.

    Returns:
        Their positions, the mistake with the highest probability first.
    """
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    order = np.argsort(-probabilities[wrong].max(axis=1), kind="stable")
    return wrong[order[:count]]


def wilson_interval(right: NDArray[np.int64], samples: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute the 95 % confidence intervals of accuracies, which are shares of few samples.

    Wilson's score interval (https://doi.org/10.1080/01621459.1927.10502953) stays between 0 and 1
    and is right for one sample, and for samples that are all right, too.

    Args:
        right: How many samples of each group are classified correctly, of shape (groups,).
        samples: How many samples each group has, of shape (groups,), 1 at least.

    Returns:
        The lower and the upper ends, of shape (2, groups), 0 to 1.
    """
    z = 1.959964  # 95 % of a normal distribution lie within so many standard deviations
    share = right / samples
    middle = share + z**2 / (2 * samples)
    reach = z * np.sqrt(share * (1 - share) / samples + (z / (2 * samples)) ** 2)
    ends: NDArray[np.float64] = np.stack([middle - reach, middle + reach]) / (1 + z**2 / samples)
    return ends.clip(0, 1)
