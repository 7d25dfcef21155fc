import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from {{ cookiecutter.project_slug }}.datasets.breast_cancer import BreastCancerDataModule
from {{ cookiecutter.project_slug }}.datasets.splits import SPLITS


@pytest.fixture
def data():
    data = BreastCancerDataModule("table")
    data.prepare_data()
    return data


def test_the_table_is_split_in_the_same_proportions_per_class(data):
    counts = {split: np.bincount(data.arrays(split)[1]) for split in SPLITS}
    total = sum(counts.values())
    assert total.tolist() == [212, 357]
    np.testing.assert_allclose(counts["val"] / total, 0.1, atol=0.01)
    np.testing.assert_allclose(counts["test"] / total, 0.2, atol=0.01)


def test_splits_share_no_row(data):
    rows = np.concatenate([data.arrays(split)[0] for split in SPLITS])
    assert rows.shape == (569, 30)
    assert len(np.unique(rows, axis=0)) == 569


def test_a_row_is_named_by_its_position_in_scikit_learn(data):
    table = load_breast_cancer()
    assert data.input_spec.names == list(table.feature_names)
    inputs, labels = data.arrays("test")
    for row, label, name in zip(inputs, labels, data.names("test"), strict=True):
        position = int(name.removeprefix("breast_cancer/"))
        np.testing.assert_allclose(row, table.data[position], rtol=1e-6)
        assert data.classes[label] == table.target_names[table.target[position]]


def test_the_statistics_are_those_of_the_training_rows(data):
    inputs, _ = data.arrays("train")
    for place, column in enumerate(data.input_spec.columns):
        assert column["mean"] == pytest.approx(inputs[:, place].mean(dtype=float), rel=1e-5)
        assert column["high"] == pytest.approx(inputs[:, place].max(), rel=1e-6)


def test_each_class_has_a_sample_file_with_a_row_of_the_test_split(data):
    inputs, labels = data.arrays("test")
    for label, name in enumerate(data.classes):
        with Path(f"table/samples/{name}.csv").open(encoding="utf-8", newline="") as file:
            row = data.input_spec.encode(list(csv.DictReader(file)))
        assert (inputs[labels == label] == row).all(axis=1).any()
