import logging
import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.training.pretrained import freeze_parts, load_fitting


def make_network(classes: int = 3) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, classes))


def test_all_weights_of_a_state_dict_are_taken():
    given, network = make_network(), make_network()
    torch.save(given.state_dict(), "weights.pt")
    load_fitting(network, "weights.pt")
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, given.state_dict()[name])


def test_what_does_not_fit_is_listed_and_stays_as_it_was(caplog):
    given, network = make_network(classes=7), make_network()
    before = network[2].weight.clone()
    weights = given.state_dict()
    del weights["0.bias"]
    torch.save({"state_dict": weights | {"head": torch.zeros(2), "epoch": 3}}, "weights.pt")
    with caplog.at_level(logging.INFO):
        load_fitting(network, "weights.pt")
    assert torch.equal(network[0].weight, given[0].weight)
    assert torch.equal(network[2].weight, before)
    [message] = [record.getMessage() for record in caplog.records]
    assert message.splitlines() == [
        "1 of the network's 4 weights are from weights.pt",
        "  missing in the file: 0.bias",
        "  not in the network: head",
        "  of another shape: 2.bias, 2.weight",
    ]


class Code:
    """What must not be loaded."""

    def __reduce__(self):
        return print, ("loaded",)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, "no such file"),
        (b"", "empty"),
        (b"no weights at all", "no file of PyTorch"),
        ({}, "no names with tensors"),
        (torch.zeros(3), "no names with tensors"),
        ({"other.weight": torch.zeros(2)}, "none fits"),
        (Code(), "Python objects"),
    ],
)
def test_a_file_that_can_not_be_used_is_one_line(content, named, capsys):
    if isinstance(content, bytes):
        Path("weights.pt").write_bytes(content)
    elif isinstance(content, Code):
        Path("weights.pt").write_bytes(pickle.dumps(content, protocol=2))
    elif content is not None:
        torch.save(content, "weights.pt")
    with pytest.raises(UserError, match=named) as error:
        load_fitting(make_network(), "weights.pt")
    assert len(str(error.value).splitlines()) == 1
    assert "loaded" not in capsys.readouterr().out


def test_the_weights_of_frozen_parts_stay_as_they_are(caplog):
    network = nn.ModuleDict({"encoder": make_network(), "enc": nn.Linear(3, 2)})
    with caplog.at_level(logging.INFO):
        freeze_parts(network, ["encoder.0", "enc"])
    trained = [name for name, weight in network.named_parameters() if weight.requires_grad]
    assert trained == ["encoder.2.weight", "encoder.2.bias"]
    assert "2 of the network's 6 weights are trained" in caplog.text


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        (["head"], "no weight's name holds head; one is called 0.weight"),
        (["0", "2"], "leaves no weight to train"),
        ("0", r"give a list, such as \[0\]"),
    ],
)
def test_parts_that_can_not_be_frozen_are_named(parts, named):
    with pytest.raises(UserError, match=rf"model\.freeze.*{named}"):
        freeze_parts(make_network(), parts)
