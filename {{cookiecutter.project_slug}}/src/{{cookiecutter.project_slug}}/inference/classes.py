"""Classes as what a model predicts: from the outputs of a network to named answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..datasets.inputs import InputSpec

if TYPE_CHECKING:
    from ..networks.base import Network


@dataclass(frozen=True)
class Prediction:
    """A class that a sample may have, and its probability from 0 to 1."""

    label: str
    probability: float

    headings: ClassVar[Sequence[str]] = ("class", "probability")

    def fields(self) -> list[str]:
        """Write the values for machines."""
        return [self.label, f"{self.probability:.4f}"]

    def cells(self) -> list[str]:
        """Write the values for people."""
        return [self.label, f"{self.probability:.1%}"]


class Classes:
    """The classes of a model.

    Args:
        names: Class names, in the order of the logits.

    Attributes:
        prediction: The type of a prediction.
        output: The name of the network's output in an exported file.
        scale: What a difference of outputs is measured in: 1, as logits have no unit.
        size: How many outputs a network has for each sample.
    """

    prediction: ClassVar[type[Prediction]] = Prediction
    output: ClassVar[str] = "logits"
    scale: ClassVar[float] = 1.0

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.size = len(names)

    def build(self, settings: Mapping[str, Any], spec: InputSpec) -> "Network":
        """Make a network that has a logit for each class.

        Args:
            settings: The class of the network and its options, as `build_network` takes them.
            spec: What the inputs are.

        Raises:
            UserError: There is no such network, or it can't work with these options and inputs.
        """
        from ..networks.building import build_network  # PyTorch, which the service may lack

        return build_network(settings, spec.network_options(), self.size)

    def answers(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn logits (batch, classes) into probabilities of the same shape."""
        return softmax(logits)

    def best(self, probabilities: NDArray[np.float32]) -> list[Prediction]:
        """Name the most probable class of each sample, from probabilities (batch, classes)."""
        labels = probabilities.argmax(axis=1).tolist()
        highest = probabilities.max(axis=1).tolist()
        return [
            Prediction(self.names[label], probability)
            for label, probability in zip(labels, highest, strict=True)
        ]

    def rank(self, probabilities: NDArray[np.float32], count: int) -> list[list[Prediction]]:
        """List at most `count` classes of each sample, the most probable first."""
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
        return [
            [Prediction(self.names[k], float(row[k])) for k in best]
            for row, best in zip(probabilities, order, strict=True)
        ]


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn logits of shape (batch, classes) into probabilities of the same shape."""
    with np.errstate(invalid="ignore"):  # an infinite logit makes NaN, which the callers refuse
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))  # no overflow
        probabilities: NDArray[np.float32] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities
