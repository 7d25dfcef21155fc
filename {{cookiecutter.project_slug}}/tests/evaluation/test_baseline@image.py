import numpy as np
import pytest

from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec
from {{ cookiecutter.project_slug }}.evaluation.baseline import Baseline, borders, what_counts

SPEC = InputSpec([1, 6, 9])


def images(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw noise, with a bright or a dark pixel near the corner, which is the class."""
    draw = np.random.default_rng(0)
    inputs = draw.integers(100, 150, (count, 1, 6, 9), dtype=np.uint8)
    labels = draw.integers(2, size=count)
    inputs[:, 0, 1, 1] = 255 * labels
    return inputs, labels


def test_the_baseline_learns_and_the_part_that_tells_the_class_counts():
    inputs, labels = images(200)
    simple = Baseline(inputs, labels, SPEC)
    probabilities = simple.predict(inputs)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (probabilities.argmax(axis=1) == labels).mean() == 1
    table = what_counts(simple, simple.predict, inputs, labels, ["dark", "bright"], SPEC)
    assert len(table.rows) == 9
    assert table.rows[0] == ("rows 1 to 2, columns 1 to 3", pytest.approx(0.5, abs=0.1))
    assert table.rows[1][1] == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize(("length", "parts"), [(1, [(0, 1)]), (2, [(0, 1), (1, 2)])])
def test_small_images_have_fewer_parts(length, parts):
    assert borders(length) == parts
