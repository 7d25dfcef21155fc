"""What all networks share: columns of any kind become numbers of about the same size."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Network(nn.Module):
    """Maps rows as they are stored to outputs, so that all preprocessing travels with the weights.

    A subclass gives its `columns` to this constructor and sets `layers`, whose input has `width`
    numbers for each row:

    - a number or a boolean minus the mean of the training rows, divided by their deviation. One
      outside of the range of the training rows counts as the end of that range, and one that is
      missing as their median;
    - for each of those that training rows lack, 1 where it is missing, else 0;
    - for each category, `embedding` numbers that are learned, at most one for each category. They
      start as zeros where the category is missing or in no training row.

    Args:
        columns: The columns of `InputSpec`, with the statistics of the training rows.
        embedding: Most numbers for a category.

    Attributes:
        width: How many numbers `layers` gets for each row.
        unit: The mean and the deviation of a target that is a number; None where it is a class.
    """

    layers: nn.Module
    unit: tuple[float, float] | None = None
    median: Tensor
    mean: Tensor
    low: Tensor
    high: Tensor
    deviation: Tensor
    numbers: Tensor
    incomplete: Tensor

    def __init__(self, columns: Sequence[Mapping[str, Any]], embedding: int = 8) -> None:
        super().__init__()
        places = [i for i, column in enumerate(columns) if column["kind"] != "category"]
        numbers = [columns[i] for i in places]
        incomplete = [i for i, column in enumerate(numbers) if column["missing"]]
        for name in ("median", "mean", "low", "high"):
            values = [column[name] for column in numbers]
            self.register_buffer(name, torch.tensor(values, dtype=torch.float32))
        deviation = [column["deviation"] or 1.0 for column in numbers]  # 0 where all are equal
        self.register_buffer("deviation", torch.tensor(deviation, dtype=torch.float32))
        self.register_buffer("numbers", torch.tensor(places, dtype=torch.long))
        self.register_buffer("incomplete", torch.tensor(incomplete, dtype=torch.long))

        self.places = [i for i, column in enumerate(columns) if column["kind"] == "category"]
        sizes = [len(columns[i]["categories"]) for i in self.places]
        tables = [nn.Embedding(size + 1, min(embedding, size)) for size in sizes]
        for table in tables:
            nn.init.zeros_(table.weight[0])
        self.embeddings = nn.ModuleList(tables)
        widths = [table.embedding_dim for table in tables]
        self.width = len(numbers) + len(incomplete) + sum(widths)

    def forward(self, inputs: Tensor) -> Tensor:
        """Predict a batch.

        Args:
            inputs: float32 rows (batch, columns), as `InputSpec.encode` makes them.

        Returns:
            Logits of shape (batch, classes); or, with a `unit`, the target itself, of shape
            (batch, 1): `layers` return the standardised one.
        """
        outputs: Tensor = self.layers(self.features(inputs))
        if self.unit:
            mean, deviation = self.unit
            outputs = outputs.float() * deviation + mean  # half precision has too few digits
        return outputs

    def features(self, inputs: Tensor) -> Tensor:
        """Turn rows (batch, columns) into the numbers (batch, width) that `layers` gets."""
        numbers = inputs.index_select(1, self.numbers)
        missing = numbers.isnan()
        known = torch.where(missing, self.median, numbers).clamp(self.low, self.high)
        hidden = missing.index_select(1, self.incomplete)
        parts = [(known - self.mean) / self.deviation, hidden.float()]
        for place, table in zip(self.places, self.embeddings, strict=True):
            parts.append(table(inputs[:, place].long()))
        return torch.cat(parts, dim=1)


class Plain(Network):
    """Any other module that maps rows as they are stored to outputs, as a `Network`."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__([])
        self.layers = layers

    def features(self, inputs: Tensor) -> Tensor:
        """Return the rows as they are: missing numbers are NaN, categories are their positions."""
        return inputs


def as_network(module: nn.Module) -> Network:
    """Take any module that maps rows to outputs for a `Network`."""
    return module if isinstance(module, Network) else Plain(module)
