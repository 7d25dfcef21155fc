"""A number as what a model predicts: from the outputs of a network to values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import UserError
from ..datasets.inputs import InputSpec

if TYPE_CHECKING:
    from ..networks.base import Network


@dataclass(frozen=True)
class Value:
    """The number that is predicted for a row, in the unit of the table."""

    value: float

    headings: ClassVar[Sequence[str]] = ("value",)

    def fields(self) -> list[str]:
        """Write the value for machines, with the digits that a float32 has."""
        return [f"{self.value:.7g}"]

    def cells(self) -> list[str]:
        """Write the value for people."""
        return [write_number(self.value)]


class Number:
    """The number that a model predicts; it has the same methods as `Classes`.

    Args:
        column: The target as `InputSpec` describes it.

    Attributes:
        name: The name of its column.
        mean: The mean of the training rows.
        prediction: The type of a prediction.
        output: The name of the network's output in an exported file.
        scale: What a difference of outputs is measured in: the deviation of the training rows.
        size: How many outputs a network has for each row.
    """

    prediction: ClassVar[type[Value]] = Value
    output: ClassVar[str] = "value"
    size: ClassVar[int] = 1

    def __init__(self, column: Mapping[str, Any]) -> None:
        self.name = str(column["name"])
        self.mean, self.scale = float(column["mean"]), float(column["deviation"])

    def build(self, settings: Mapping[str, Any], spec: InputSpec) -> "Network":
        """Make a network that answers in the unit of the table.

        Args:
            settings: The class of the network and its options, as `build_network` takes them.
            spec: What the inputs are.

        Raises:
            UserError: There is no such network, or it can't work with these options and inputs.
        """
        from ..networks.building import build_network  # PyTorch, which the service may lack

        network = build_network(settings, spec.network_options(), self.size)
        network.unit = self.mean, self.scale
        return network

    def answers(self, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn outputs (batch, 1) into values (batch,)."""
        return outputs[:, 0]

    def best(self, values: NDArray[np.float32]) -> list[Value]:
        """Name the value of each row, from values (batch,)."""
        return [Value(value) for value in values.tolist()]

    def rank(self, values: NDArray[np.float32], count: int) -> list[list[Value]]:
        """List the value of each row.

        Raises:
            UserError: `count` is more than one: there is one value for each row.
        """
        if count > 1:
            raise UserError(f"--top {count}: this model predicts a number, and has no classes")
        return [[value] for value in self.best(values)]


def write_number(number: float) -> str:
    """Write a number of any size with five digits that count, and no exponent if it can be read."""
    return f"{float(f'{number:.5g}'):,.10g}"
