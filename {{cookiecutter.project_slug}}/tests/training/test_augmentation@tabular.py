import math

import pytest
import torch

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec
from {{ cookiecutter.project_slug }}.training.augmentation import Augmentation

SIZE = {"mean": 5.0, "deviation": 3.0, "median": 5.0, "low": 0.0, "high": 9.0}
WORDS = {"categories": ["a", "b"], "common": "a"}
SPEC = InputSpec(
    [
        {"name": "number", "kind": "number", "missing": False, **SIZE},
        {"name": "incomplete", "kind": "number", "missing": True, **SIZE},
        {"name": "category", "kind": "category", "missing": False, **WORDS},
        {"name": "incomplete category", "kind": "category", "missing": True, **WORDS},
        {"name": "boolean", "kind": "boolean", "missing": True, **SIZE},
    ]
)
ROWS = torch.tensor([[4.0, 5.0, 2.0, 1.0, 1.0]]).repeat(4000, 1)


@pytest.fixture(autouse=True)
def same_draws():
    torch.manual_seed(0)


def test_nothing_is_changed_by_default():
    assert torch.equal(Augmentation(SPEC)(ROWS), ROWS)


def test_noise_is_measured_in_deviations_and_changes_numbers_only():
    changed = Augmentation(SPEC, noise=0.1)(ROWS)
    assert torch.equal(changed[:, 2:], ROWS[:, 2:])
    shift = changed[:, :2] - ROWS[:, :2]
    assert shift.std(dim=0).tolist() == pytest.approx([0.3, 0.3], rel=0.05)
    assert shift.mean(dim=0).tolist() == pytest.approx([0, 0], abs=0.02)
    assert torch.equal(ROWS, ROWS[:1].repeat(4000, 1))  # what was given stays as it was


def test_values_are_hidden_where_training_rows_lack_some():
    changed = Augmentation(SPEC, missing=0.25)(ROWS)
    assert torch.equal(changed[:, [0, 2]], ROWS[:, [0, 2]])
    hidden = [changed[:, 1].isnan(), changed[:, 3] == 0, changed[:, 4].isnan()]
    assert [one.float().mean().item() for one in hidden] == pytest.approx([0.25] * 3, abs=0.03)


def test_a_missing_value_stays_missing():
    rows = torch.tensor([[1.0, math.nan, 0.0, 0.0, math.nan]])
    changed = Augmentation(SPEC, noise=0.5)(rows)
    assert changed[:, [1, 4]].isnan().all()
    assert not changed[:, [2, 3]].any()


@pytest.mark.parametrize("option", ["noise", "missing"])
@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, "much"])
def test_a_value_out_of_its_range_is_refused(option, value):
    with pytest.raises(UserError, match=rf"model\.augmentation\.{option}"):
        Augmentation(SPEC, **{option: value})
