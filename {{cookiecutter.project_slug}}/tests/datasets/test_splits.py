import numpy as np
import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.splits import (
    SPLITS,
    named_splits,
    split_lookalikes,
    stratified_split,
)

LABELS = np.arange(100) % 3


@pytest.mark.parametrize("counts", [(3, 3), (4, 40), (100, 57)])
def test_each_sample_is_in_one_split_and_each_class_in_all(counts):
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


@pytest.mark.parametrize("given", ["val", "test"])
def test_a_split_that_is_given_elsewhere_is_not_cut(given):
    fractions = {"val": 0.1, "test": 0.2} | {given: None}
    splits = stratified_split(LABELS, fractions["val"], fractions["test"], seed=0)
    assert len(splits[given]) == 0
    assert len(splits["train"]) == {"val": 79, "test": 91}[given]
    assert sorted(np.concatenate(list(splits.values()))) == list(range(100))


@pytest.mark.parametrize("seed", [-1, 0.5, "x"])
def test_a_seed_that_is_none_is_named(seed):
    with pytest.raises(UserError, match="split_seed"):
        stratified_split(LABELS, 0.1, 0.2, seed)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["TRAIN", "testing"], {"train": ["TRAIN"], "test": ["testing"]}),
        (["val", "validation", "dev"], {"val": ["val", "validation", "dev"]}),
        (["trainer", "latest", "cat"], {}),
    ],
)
def test_splits_are_found_by_the_names_that_they_have(names, found):
    assert named_splits(names) == found


@pytest.mark.parametrize(
    ("names", "alike"),
    [
        (["training_set", "test_set"], ["training_set", "test_set"]),
        (["seg_train", "seg_test", "seg_pred"], ["seg_train", "seg_test"]),
        (["train2017", "val2017"], ["train2017", "val2017"]),
        (["steam train", "bus"], []),
        (["steam train", "bullet train"], []),
        (["contest", "trainers"], []),
    ],
)
def test_names_that_look_like_splits_are_found(names, alike):
    assert split_lookalikes(names) == alike


@pytest.mark.parametrize(
    ("val", "test"), [(0, 0.2), (0.1, 0), (0.5, 0.5), (float("nan"), 0.1), ("x", 0.1)]
)
def test_fractions_that_leave_nothing_are_refused(val, test):
    with pytest.raises(UserError, match="fraction"):
        stratified_split(LABELS, val, test, seed=0)


def test_a_class_too_small_for_three_splits_is_named():
    with pytest.raises(UserError, match="class b has 2 samples"):
        stratified_split(np.array([0, 0, 0, 1, 1]), 0.1, 0.2, seed=0, classes=["a", "b"])
