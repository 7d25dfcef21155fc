import itertools
import warnings

import example
import numpy as np
import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.evaluation import plots
from {{ cookiecutter.project_slug }}.evaluation.classification import Classification

NAN = float("nan")
# Text that Matplotlib reads as formulas, text in several scripts, and text that is too long
NAMES = ["x_$1_$2", "$\\frac", "\u732b \ud55c \u0939 \u0e01", "a\n\tb\x07", "\udce9", "", "W" * 500]


def save(figure):
    """Draw a figure; a warning of a missing letter or of a lack of space is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig("figure.png", dpi=20)


def test_names_are_drawn_as_they_are_and_stay_small():
    count = len(NAMES)
    wrong = np.eye(count, dtype=np.float32)[::-1]
    inputs, labels = example.random_inputs(count), np.arange(count)
    figures = Classification(NAMES).figures(inputs, example.SPEC, labels, wrong, NAMES, 25)
    for figure in figures.values():
        save(figure)
        assert max(figure.get_size_inches()) <= 12
    # The text of a table's cell is an object, whose own text has its content
    found = figure.findobj(match=lambda x: hasattr(x, "get_text"))
    shown = {str(one.get_text()) for one in found}
    assert any("x_$1_$2" in text for text in shown)


@pytest.mark.parametrize("count", [1, 2, 200, 1000])
def test_a_confusion_matrix_is_readable_and_of_bounded_size(count):
    names = [f"class number {k}" for k in range(count)]
    figure = plots.confusion_matrix_figure(np.eye(count, dtype=np.int64), names)
    save(figure)
    [axes] = figure.axes
    assert 4 <= max(figure.get_size_inches()) <= 24
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == [names[int(position)] for position in axes.get_yticks()]
    assert len(shown) >= min(count, 200)
    boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert all(a.y0 > b.y0 + 0.5 * b.height for a, b in itertools.pairwise(boxes))


@pytest.mark.parametrize("count", [-1, 100_000, 2.5, "many", None])
def test_a_number_of_samples_that_cannot_be_drawn_is_named(count):
    with pytest.raises(UserError, match=f"^samples={count}: "):
        plots.check_samples(count)


@pytest.mark.parametrize(
    ("history", "curves"),
    [
        ({}, 0),
        ({"epoch": []}, 0),
        ({"epoch": [0], "train/loss": [0.5], "val/loss": [0.25]}, 2),
        ({"epoch": [0, 1], "train/loss": [NAN, 0.5], "val/f1": [NAN, NAN]}, 2),
        ({"epoch": [0, 1], "train/loss": [float("inf"), 1e300]}, 1),
    ],
)
def test_curves_show_the_numbers_that_there_are(history, curves):
    figure = plots.learning_curves_figure(history, ["loss", "accuracy", "f1"])
    save(figure)
    lines = [line for axes in figure.axes for line in axes.lines]
    assert len(lines) == curves
    assert all(line.get_marker() != "None" for line in lines)  # one epoch is seen too
