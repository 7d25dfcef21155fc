import example
import numpy as np

from {{ cookiecutter.project_slug }}.evaluation.baseline import Baseline, what_counts

TEXTS = ["aba bab", "abab", "bba", "xyx yx", "xxy", "yxyx"]
LABELS = np.array([0, 0, 0, 1, 1, 1])


def test_the_baseline_learns_what_tells_classes_apart_and_shows_it():
    inputs = example.SPEC.encode(TEXTS)
    simple = Baseline(inputs, LABELS, example.SPEC)
    probabilities = simple.predict(example.SPEC.encode(["ba", "yx"]))
    assert probabilities.argmax(axis=1).tolist() == [0, 1]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    classes = ["left", "right"]
    table = what_counts(simple, simple.predict, inputs, LABELS, classes, example.SPEC)
    (first, ours), (second, theirs) = table.rows
    assert (first, second) == ("left", "right")
    assert "a" in ours
    assert "x" in theirs
