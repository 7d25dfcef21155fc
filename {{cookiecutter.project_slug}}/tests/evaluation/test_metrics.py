import numpy as np
import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.evaluation import metrics

LABELS = np.array([0, 0, 1, 2])
PROBABILITIES = np.array(
    [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.5, 0.25], [0.5, 0.25, 0.25]],
    dtype=np.float32,
)


def test_metrics_are_those_computed_by_hand():
    assert metrics.compute_metrics(PROBABILITIES, LABELS) == {
        "loss": pytest.approx(-np.log([0.5, 0.25, 0.5, 0.25]).mean()),
        "accuracy": 0.5,
        "f1": pytest.approx((0.5 + 2 / 3 + 0) / 3),
    }


def test_each_class_has_its_numbers():
    first, second, third = metrics.per_class(PROBABILITIES, LABELS, ["cat", "dog", "cow"])
    assert first == ("cat", 0.5, 0.5, 0.5, 2)
    assert second == ("dog", 0.5, 1, pytest.approx(2 / 3), 1)
    assert third == ("cow", 0, 0, 0, 1)


def test_a_faultless_model_has_metrics_too():
    faultless = metrics.compute_metrics(np.eye(3, dtype=np.float32), np.arange(3))
    assert faultless == {"loss": pytest.approx(0, abs=1e-5), "accuracy": 1, "f1": 1}


def test_nan_is_an_error_of_one_line():
    with pytest.raises(UserError, match="NaN"):
        metrics.compute_metrics(np.full((4, 3), np.nan, dtype=np.float32), LABELS)


@pytest.mark.parametrize("batch_size", [1, 3, 10, 100])
def test_batches_cover_every_sample_in_order(batch_size):
    inputs = np.arange(10).reshape(10, 1)
    sizes = []

    def run(batch):
        sizes.append(len(batch))
        return batch.astype(np.float32)

    assert metrics.in_batches(run, inputs, batch_size)[:, 0].tolist() == list(range(10))
    assert max(sizes) <= batch_size


@pytest.mark.parametrize(("higher_is_better", "lost"), [(True, 0.01), (False, -0.01)])
def test_a_metric_knows_which_way_is_worse(higher_is_better, lost):
    assert metrics.Metric("m", higher_is_better=higher_is_better).lost(0.95, 0.94) == lost
