import numpy as np
import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.splits import SPLITS, stratified_split

LABELS = np.arange(100) % 3


@pytest.mark.parametrize("counts", [(3, 3), (4, 40), (100, 57)])
def test_each_image_is_in_one_split_and_each_class_in_all(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    splits = stratified_split(labels, 0.1, 0.2, seed=0)
    assert list(splits) == list(SPLITS)
    assert sorted(np.concatenate(list(splits.values()))) == list(range(sum(counts)))
    for index in splits.values():
        assert (np.diff(index) > 0).all()
        assert np.unique(labels[index]).tolist() == list(range(len(counts)))


def test_the_fractions_hold_for_each_class():
    labels = np.repeat([0, 1], [50, 200])
    splits = stratified_split(labels, 0.1, 0.2, seed=0)
    for split, counts in {"train": [35, 140], "val": [5, 20], "test": [10, 40]}.items():
        assert np.bincount(labels[splits[split]]).tolist() == counts


def test_the_split_depends_on_its_seed_alone():
    first, again, other = (stratified_split(LABELS, 0.1, 0.2, seed)["train"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(("val", "test"), [(0, 0.2), (0.1, 0), (0.5, 0.5)])
def test_fractions_that_leave_nothing_are_refused(val, test):
    with pytest.raises(UserError, match="fraction"):
        stratified_split(LABELS, val, test, seed=0)


def test_a_class_too_small_for_three_splits_is_named():
    with pytest.raises(UserError, match="class b has 2 images"):
        stratified_split(np.array([0, 0, 0, 1, 1]), 0.1, 0.2, seed=0, classes=["a", "b"])
