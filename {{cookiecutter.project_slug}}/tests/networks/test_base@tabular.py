import math

import numpy as np
import pytest
import torch
from torch import nn

from {{ cookiecutter.project_slug }} import UserError, networks
from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec
from {{ cookiecutter.project_slug }}.inference.number import Number
from {{ cookiecutter.project_slug }}.networks.base import Network, as_network
from {{ cookiecutter.project_slug }}.networks.linear import Linear
from {{ cookiecutter.project_slug }}.networks.mlp import MLP

SIZE = {"mean": 10.0, "deviation": 2.0, "median": 9.0, "low": 4.0, "high": 20.0}
COLUMNS = [
    {"name": "mass", "kind": "number", "missing": True, **SIZE},
    {
        "name": "island",
        "kind": "category",
        "missing": False,
        "categories": ["Biscoe", "Dream", "Torgersen"],
        "common": "Dream",
    },
    {"name": "bill", "kind": "number", "missing": False, **SIZE},
]
ROWS = torch.tensor([[12.0, 1, 10], [math.nan, 0, 8], [1e30, 3, -1e30]])


class Shown(Network):
    """Shows what the layers of a network get."""

    def __init__(self, columns: list[dict], embedding: int = 2) -> None:
        super().__init__(columns, embedding)
        self.layers = nn.Identity()


def test_numbers_are_scaled_filled_and_kept_in_their_range():
    network = Shown(COLUMNS)
    numbers = network(ROWS)[:, :3]
    # Two numbers, and whether the first of them, which training rows lack, is missing
    expected = [[1, 0, 0], [(9 - 10) / 2, -1, 1], [(20 - 10) / 2, (4 - 10) / 2, 0]]
    assert torch.equal(numbers, torch.tensor(expected, dtype=torch.float32))
    assert network.width == 5


def test_a_category_becomes_numbers_of_its_own_and_an_unknown_one_zeros():
    network = Shown(COLUMNS)
    table = network.embeddings[0].weight
    assert table.shape == (4, 2)
    assert torch.equal(network(ROWS)[:, 3:], table[[1, 0, 3]])
    assert not table[0].any()
    assert Shown(COLUMNS, embedding=8).embeddings[0].weight.shape == (4, 3)


def test_a_column_of_equal_numbers_says_nothing():
    constant = {**COLUMNS[2], "deviation": 0.0, "low": 10.0, "high": 10.0}
    network = Shown([constant])
    assert network(torch.tensor([[10.0], [11.0], [-5.0]])).tolist() == [[0.0], [0.0], [0.0]]


def test_the_statistics_travel_with_the_weights():
    weights = Shown(COLUMNS).state_dict()
    other = Shown([{**column, **dict.fromkeys(SIZE, 1.0)} for column in COLUMNS])
    other.load_state_dict(weights)
    for name, value in SIZE.items():
        assert getattr(other, name).tolist() == [value, value]


def test_any_module_gets_the_rows_as_they_are():
    seen = []

    class Plain(nn.Module):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            seen.append(rows)
            return rows[:, :2]

    network = as_network(Plain())
    assert isinstance(network, Network)
    assert network(ROWS).shape == (3, 2)
    assert seen[0] is ROWS
    assert as_network(network) is network


@pytest.mark.parametrize("kinds", [[0, 1, 2], [0], [1], [2]])
@pytest.mark.parametrize("network", [MLP, Linear])
def test_networks_learn_from_columns_of_any_kind(network, kinds):
    torch.manual_seed(0)
    columns = [COLUMNS[kind] for kind in kinds]
    labels = torch.arange(90) % 3
    rows = InputSpec(columns).zeros(90)
    for place, column in enumerate(columns):
        if column["kind"] == "category":
            rows[:, place] = labels + 1
        else:
            rows[:, place] = np.array([5, 10, 15])[labels]
    model = network(columns, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(torch.from_numpy(rows)), labels).backward()
        optimizer.step()
    assert torch.equal(model.eval()(torch.from_numpy(rows)).argmax(dim=1), labels)


@pytest.mark.parametrize("options", [{"hidden": [8, 0]}, {"hidden": [-1]}, {"embedding": 0}])
def test_a_layer_without_units_is_refused(options):
    with pytest.raises(UserError, match=rf"model\.network\.{next(iter(options))}"):
        MLP(COLUMNS, 3, **options)


def test_a_unit_turns_what_the_layers_return_into_the_target():
    network = MLP(COLUMNS, 1).eval()
    standardised = network(ROWS)
    network.unit = 1000.0, 50.0
    torch.testing.assert_close(network(ROWS), standardised * 50 + 1000)


@pytest.mark.parametrize("settings", [{"_target_": "mlp.MLP"}, {"_target_": "linear.Linear"}])
def test_each_network_starts_near_the_mean_of_the_target(settings):
    torch.manual_seed(0)
    target = Number({"name": "price", "mean": 1e6, "deviation": 100.0})
    whole = {"_target_": f"{networks.__name__}.{settings['_target_']}"}
    network = target.build(whole, InputSpec(COLUMNS)).eval()
    outputs = network(ROWS)
    assert outputs.shape == (3, 1)
    assert (abs(outputs - 1e6) < 1000).all()
    assert outputs.std() > 1


@pytest.mark.parametrize("network", [MLP, Linear])
def test_a_unit_changes_no_name_of_a_weight(network):
    plain = network(COLUMNS, 1)
    names = list(plain.state_dict())
    plain.unit = 1.0, 2.0
    assert list(plain.state_dict()) == names
