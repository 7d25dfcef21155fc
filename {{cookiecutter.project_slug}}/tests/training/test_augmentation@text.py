import example
import pytest
import torch

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.training.augmentation import Augmentation, drop, swap

SPEC = example.SPEC


def encode(*texts: str) -> torch.Tensor:
    return torch.from_numpy(SPEC.encode(texts))


def decode(inputs: torch.Tensor) -> list[str]:
    return [SPEC.decode(sample) for sample in inputs.numpy()]


def test_neighbours_change_places_and_padding_stays():
    inputs = encode("abcde", "x", "ab")
    chosen = torch.ones_like(inputs, dtype=torch.bool)
    assert decode(swap(inputs, chosen)) == ["badce", "x", "ba"]
    assert decode(inputs) == ["abcde", "x", "ab"]


def test_what_is_left_out_leaves_no_gap():
    inputs = encode("abcde", "x")
    chosen = torch.zeros_like(inputs, dtype=torch.bool)
    chosen[:, [0, 1, 3]] = True
    dropped = drop(inputs, chosen)
    assert decode(dropped) == ["ace", "x"]
    assert dropped.dtype == inputs.dtype
    assert dropped[0, 3:].eq(0).all()


@pytest.mark.parametrize("options", [{"drop": 0.2}, {"swap": 0.2}, {"drop": 0.2, "swap": 0.2}])
def test_about_so_many_characters_change(options):
    torch.manual_seed(0)
    inputs = torch.from_numpy(example.random_inputs(200))
    changed = Augmentation(example.SPEC, **options)(inputs)
    assert changed.shape == inputs.shape
    lost = 1 - (changed != 0).sum() / (inputs != 0).sum()
    assert lost == pytest.approx(options.get("drop", 0), abs=0.03)
    assert (changed != 0).any(dim=1).all()
    torch.manual_seed(0)
    assert torch.equal(Augmentation(example.SPEC, **options)(inputs), changed)


@pytest.mark.parametrize("options", [{"drop": 1}, {"drop": -0.1}, {"swap": 2}, {"swap": "often"}])
def test_a_value_out_of_its_range_is_named(options):
    with pytest.raises(UserError, match=next(iter(options))):
        Augmentation(example.SPEC, **options)
