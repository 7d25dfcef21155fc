import numpy as np
import pytest

from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec
from {{ cookiecutter.project_slug }}.evaluation.baseline import Baseline, importance, what_counts
from {{ cookiecutter.project_slug }}.evaluation.classification import Classification

SCORING = Classification(["even", "odd"])

SIZE = {"mean": 0.0, "deviation": 1.0, "median": 0.0, "low": -3.0, "high": 3.0}
WORDS = {"categories": [str(number) for number in range(20)], "common": "1"}
SPEC = InputSpec(
    [
        {"name": "noise", "kind": "number", "missing": True, **SIZE},
        {"name": "category", "kind": "category", "missing": False, **WORDS},
    ]
)


def rows(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Make rows whose class is whether the number of their category is odd."""
    draw = np.random.default_rng(seed)
    noise = np.where(draw.random(count) < 0.1, np.nan, draw.normal(size=count))
    category = draw.integers(1, 21, count)
    return np.stack([noise, category], axis=1).astype(np.float32), category % 2


def test_trees_split_categories_as_such_and_take_missing_values():
    (inputs, labels), (unseen, expected) = rows(400, seed=0), rows(100, seed=1)
    probabilities = Baseline(inputs, labels, SPEC).predict(unseen)
    assert probabilities.shape == (100, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (probabilities.argmax(axis=1) == expected).mean() == 1
    again = Baseline(inputs, labels, SPEC).predict(unseen)
    np.testing.assert_array_equal(again, probabilities)


def test_the_importance_of_a_column_is_the_accuracy_that_it_brings():
    inputs, labels = rows(1000, seed=0)
    before = inputs.copy()
    calls = []

    def odd(given: np.ndarray) -> np.ndarray:
        calls.append(given)
        return np.eye(2, dtype=np.float32)[given[:, 1].astype(int) % 2]

    first, second = importance(odd, inputs, labels, SPEC, SCORING)
    assert first[0] == "category"
    assert first[1] == pytest.approx(0.5, abs=0.05)
    assert 0 < first[2] < 0.05
    assert second == ("noise", 0.0, 0.0)
    np.testing.assert_array_equal(inputs, before)
    assert importance(odd, inputs, labels, SPEC, SCORING) == [first, second]
    assert importance(odd, inputs, labels, SPEC, SCORING, seed=1) != [first, second]


def test_what_counts_is_a_table_of_columns():
    inputs, labels = rows(200, seed=0)
    simple = Baseline(inputs, labels, SPEC)
    table = what_counts(simple, simple.predict, inputs, labels, ["even", "odd"], SPEC)
    assert [row[0] for row in table.rows] == ["category", "noise"]
