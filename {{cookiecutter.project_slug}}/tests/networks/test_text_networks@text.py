"""What the networks for texts do with their options, and with texts of any length."""

import example
import pytest
import torch
from torch import nn

from {{ cookiecutter.project_slug }} import UserError, networks
from {{ cookiecutter.project_slug }}.networks import base
from {{ cookiecutter.project_slug }}.networks.building import build_network
from {{ cookiecutter.project_slug }}.networks.ngrams import PRIME, Hashing, NGrams

CLASSES = 4
NAMES = ["ngrams.NGrams", "conv.Conv"]


def build(name: str, vocabulary_size: int = 0x110000, **options: object) -> nn.Module:
    torch.manual_seed(0)
    options["_target_"] = f"{networks.__name__}.{name}"
    return build_network(options, {"vocabulary_size": vocabulary_size}, CLASSES).eval()


def encode(*texts: str) -> torch.Tensor:
    return torch.from_numpy(example.SPEC.encode(texts))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("length", [1, 2, 7, 1000])
def test_networks_take_texts_of_any_length(name, length):
    inputs = torch.randint(1, 0x10FFFF, (3, length), dtype=torch.int32)
    assert build(name)(inputs).shape == (3, CLASSES)


@pytest.mark.parametrize("name", NAMES)
def test_padding_changes_no_answer(name):
    network = build(name)
    inputs = encode("short", "a much longer text than that")
    torch.testing.assert_close(network(inputs)[:1], network(inputs[:1, :5]))
    # As in an exported graph, which can't cut the padding off
    torch.testing.assert_close(network.layers(inputs.long()), network(inputs))


def test_the_same_ngrams_get_the_same_numbers_wherever_they_are():
    hashing = Hashing(3, 2**31)
    one, two = (set(row[row != 0].tolist()) for row in hashing(encode("the cat", "cat the").long()))
    assert len(one) == 6 + 8 + 7  # with spaces at both ends
    assert len(one & two) == len(one) - 1  # all but "e c"
    other = hashing(encode("tac eht").long())
    assert len(one & set(other[other != 0].tolist())) < len(one & two)


def test_a_hash_never_leaves_the_range_of_its_numbers():
    largest = torch.full((1, 50), 2**31 - 1)
    numbers = Hashing(6, 1000)(largest)
    assert numbers.min() >= 0
    assert numbers.max() <= 1000
    exact, hashed = (2**31 - 1), 32
    for size in range(1, 7):
        exact = 2**31 - 1 if size > 1 else 32
        hashed = ((0 if size == 1 else hashed) * 1_000_003 + exact + size) % PRIME
        assert numbers[0, (size - 1) * 52].item() == hashed * 1_000_003 % PRIME % 1000 + 1


def test_some_ngrams_are_left_out_in_training_only():
    network = NGrams(CLASSES, dropout=0.5)
    inputs = encode("a text of some words")
    assert not torch.equal(network(inputs), network(inputs))
    network.eval()
    assert torch.equal(network(inputs), network(inputs))


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("ngrams.NGrams", "longest", 0),
        ("ngrams.NGrams", "buckets", 0),
        ("ngrams.NGrams", "dimension", -1),
        ("ngrams.NGrams", "dropout", 1),
        ("ngrams.NGrams", "dropout", "much"),
        ("conv.Conv", "widths", []),
        ("conv.Conv", "widths", [3, 0]),
        ("conv.Conv", "rows", 1),
        ("conv.Conv", "channels", 0),
        ("conv.Conv", "dropout", 2),
    ],
)
def test_a_value_that_builds_no_network_is_refused_in_one_line(name, option, value):
    with pytest.raises(UserError, match=r"model\.network") as error:
        build(name, **{option: value})
    assert len(str(error.value).splitlines()) == 1


def test_any_module_is_a_network_and_gets_the_longest_text(monkeypatch):
    seen = []

    class Plain(nn.Module):
        def __init__(self, vocabulary_size: int, num_classes: int) -> None:
            super().__init__()
            self.weights = nn.Embedding(vocabulary_size, num_classes)

        def forward(self, numbers: torch.Tensor) -> torch.Tensor:
            seen.append(numbers)
            return self.weights(numbers).sum(dim=1)

    monkeypatch.setattr(base, "Plain", Plain, raising=False)
    network = build("base.Plain", vocabulary_size=300)
    assert network(encode("ab", "c")).shape == (2, CLASSES)
    assert seen[0].tolist() == [[97, 98], [99, 0]]
    assert seen[0].dtype == torch.int64
