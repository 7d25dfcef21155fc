import numpy as np

from {{ cookiecutter.project_slug }}.evaluation.plots import result_figures


def test_mistakes_are_ordered_by_confidence():
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.4, 0.6], [0.1, 0.9], [0.7, 0.3], [0.0, 1.0]], dtype=np.float32)
    images = np.arange(4, dtype=np.uint8).repeat(64).reshape(4, 1, 8, 8)
    figures = result_figures(images, labels, probabilities, ["cat", "dog"], 2)
    drawn = [axes for axes in figures["mistakes"].axes if axes.images]
    titles = ["true cat\nguess dog (90%)", "true dog\nguess cat (70%)"]
    assert [axes.get_title() for axes in drawn] == titles
    assert [axes.images[0].get_array().max() for axes in drawn] == [1, 2]


def test_a_faultless_model_has_a_figure_without_mistakes():
    images = np.zeros((3, 3, 8, 8), dtype=np.uint8)
    certain = np.eye(3, dtype=np.float32)
    figures = result_figures(images, np.arange(3), certain, ["a", "b", "c"], 5)
    assert not any(axes.images for axes in figures["mistakes"].axes)
    assert sum(bool(axes.images) for axes in figures["samples"].axes) == 3
