from types import SimpleNamespace

import example
import numpy as np
import pytest
from matplotlib.figure import Figure

from {{ cookiecutter.project_slug }}.evaluation.classification import Classification
from {{ cookiecutter.project_slug }}.evaluation.overview import write_overview

FIGURES = Classification.captions
HOSTILE = ["<script>alert(1)</script>", "a\n\u202eb", "W" * 9999, ""]


@pytest.fixture
def overview(tmp_path):
    """Write the page of a model that gives these probabilities; return its text."""
    for name in FIGURES:
        Figure(figsize=(1, 1)).savefig(tmp_path / f"{name}.png")

    def write(probabilities, labels, classes, figures=FIGURES, count=5, baseline=(), extra=()):
        inputs = example.random_inputs(len(labels))
        names = [classes[label] for label in labels]
        predictor = SimpleNamespace(
            path="model", version="1", commit=None, classes=classes, input_spec=example.SPEC
        )
        data = SimpleNamespace(
            folder="data", arrays=lambda split: (inputs, labels), names=lambda split: names
        )
        scoring = Classification(classes)
        slices = scoring.slices(probabilities, labels, {})
        metrics = scoring.score(probabilities, labels)
        write_overview(
            tmp_path,
            predictor,
            data,
            scoring,
            probabilities,
            metrics,
            slices,
            figures,
            count,
            dict(baseline),
            dict(extra),
        )
        return (tmp_path / "index.html").read_text("utf-8")

    return write


def test_hostile_names_are_texts(overview):
    wrong = np.eye(4, dtype=np.float32)[[1, 2, 3, 0] * 5]
    page = overview(wrong, np.arange(20) % 4, HOSTILE)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\u202e" not in page
    assert "W" * 1001 not in page
    assert "(empty)" in page


def test_a_faultless_model_has_a_page(overview):
    page = overview(np.eye(3, dtype=np.float32), np.arange(3), ["a", "b", "c"])
    assert "0 of 3 test samples are classified wrongly." in page
    assert "No slice of the test split is weaker than the rest." in page


@pytest.mark.parametrize("count", [0, 3, 100])
def test_the_worst_mistakes_are_listed_and_all_are_counted(overview, count):
    labels = np.array([0] * 30 + [1] * 5)
    page = overview(np.eye(2, dtype=np.float32)[1 - labels], labels, ["a", "b"], count=count)
    mistakes = page.partition("<h2>Worst mistakes</h2>")[2].partition("</section>")[0]
    assert "35 of 35 test samples are classified wrongly." in mistakes
    assert mistakes.count('<th scope="row">') == min(count, 35)


@pytest.mark.parametrize("right", [0, 1])
def test_one_sample_has_a_page(overview, right):
    page = overview(np.array([[1, 0]], dtype=np.float32), np.array([1 - right]), ["a", "b"])
    assert f'<th scope="row"><bdi>accuracy</bdi></th><td class="number">{right:.4f}</td>' in page


def test_a_thousand_classes_have_a_page_of_bounded_length(overview):
    names = [f"class number {k}" for k in range(1000)]
    page = overview(np.eye(1000, dtype=np.float32)[::-1], np.arange(1000), names)
    assert "of 1,000 rows" in page
    assert len(page) < 200_000


def test_the_weakest_class_comes_first(overview):
    answers = np.eye(3, dtype=np.float32)[[0, 0, 1, 0, 1, 1]]
    page = overview(answers, np.array([0, 0, 1, 1, 2, 2]), ["a", "b", "c"])
    classes = page.partition("<h2>Classes</h2>")[2]
    assert classes.index(">c<") < classes.index(">b<") < classes.index(">a<")


def test_a_baseline_stands_beside_the_model(overview):
    answers = np.eye(2, dtype=np.float32), np.arange(2), ["a", "b"]
    assert "baseline" not in overview(*answers)
    assert "baseline</bdi></th></tr>" in overview(*answers, baseline={"accuracy": 0.25})
    assert '<td class="number">0.2500</td>' in overview(*answers, baseline={"accuracy": 0.25})


def test_a_model_without_a_history_has_no_learning_curves(overview):
    figures = [name for name in FIGURES if name != "learning_curves"]
    answers = np.eye(2, dtype=np.float32), np.arange(2), ["a", "b"]
    assert "<h2>Training</h2>" in overview(*answers)
    assert "<h2>Training</h2>" not in overview(*answers, figures)
