import numpy as np
import pytest

from {{ cookiecutter.project_slug }}.evaluation.classification import Classification
from {{ cookiecutter.project_slug }}.evaluation.metrics import Metric
from {{ cookiecutter.project_slug }}.evaluation.slices import (
    FEWEST_SAMPLES,
    describe_slices,
    group,
    header,
    weakest_slices,
)

NAN = float("nan")
ACCURACY = Metric("accuracy", higher_is_better=True)


def slices_of(wrong, features, classes=("cat", "dog")):
    """Slices of samples of which those named are mistakes; all are of the first class."""
    predicted = np.asarray(wrong, dtype=int)
    probabilities = np.eye(len(classes), dtype=np.float32)[predicted]
    labels = np.zeros(len(predicted), dtype=int)
    return Classification(classes).slices(probabilities, labels, features)


def sizes(values):
    return {name: len(index) for name, index in group(np.array(values)).items()}


def test_a_slice_has_the_numbers_computed_by_hand():
    wrong = [1, 1, 1, 0, 0] + [0] * 5
    first, second = slices_of(wrong, {"color": np.array(["red"] * 5 + ["blue"] * 5)})
    assert first.row == [
        "color", "red", 5, pytest.approx(0.4),
        pytest.approx(0.1176, abs=1e-4), pytest.approx(0.7693, abs=1e-4),
        pytest.approx(10 / 120),  # of 120 ways to place 3 mistakes, 10 place all in "red"
        True,
    ]  # fmt: skip
    assert len(header("accuracy")) == len(first.row)
    assert first.mistakes == {0, 1, 2}
    assert (second.value, second.score, second.p_value) == ("blue", 1, 1)


def test_each_class_is_a_slice():
    labels = np.repeat([0, 1, 2], [3, 2, 1])
    probabilities = np.eye(3, dtype=np.float32)[[0, 0, 0, 1, 0, 2]]
    found = Classification(["a", "<b>\n", "c"]).slices(probabilities, labels, {})
    assert {(part.value, part.samples, part.score) for part in found} == {
        ("a", 3, 1), ("<b>\n", 2, 0.5), ("c", 1, 1),
    }  # fmt: skip
    assert {part.feature for part in found} == {"class"}


def test_one_mistake_does_not_win_by_chance():
    wrong = np.zeros(1000, dtype=bool)
    wrong[:40] = True  # 40 of 200 samples of "dark"
    wrong[999] = True  # the only sample of its class
    labels = np.where(np.arange(1000) == 999, 1, 0)
    probabilities = np.eye(2, dtype=np.float32)[np.where(wrong, 1 - labels, labels)]
    light = np.array(["dark"] * 200 + ["bright"] * 800)
    scoring = Classification(["common", "rare"])
    first, second = scoring.slices(probabilities, labels, {"light": light})[:2]
    assert (first.value, first.score) == ("dark", 0.8)
    assert (second.value, second.score) == ("rare", 0)
    assert second.high < first.high  # the end of the interval would put it first


def test_the_same_mistakes_are_named_once():
    wrong = np.zeros(100)
    wrong[:10] = 1
    half = np.arange(100) < 50
    other = np.arange(100) % 2 == 0
    chosen = weakest_slices(slices_of(wrong, {"a": half, "b": half, "c": ~half, "d": other}))
    assert [(part.feature, part.value) for part in chosen] == [("a", "True")]


def test_the_weakest_slices_are_described_and_chance_is_named():
    wrong = np.zeros(400)
    wrong[:30] = 1
    wrong[200:203] = 1
    features = {"a": np.arange(400) < 100, "b": np.arange(400) // 100 == 2}
    heading, *lines = describe_slices(slices_of(wrong, features), ACCURACY)
    assert heading.startswith("Weakest slices")
    assert lines == ["  a True  0.7000 (0.604 to 0.781), 100 samples"]
    [first, _] = found = slices_of(np.arange(20) < 4, {"a": np.arange(20) < 10})
    assert first.p_value == pytest.approx(210 / 4845)  # one of two is that weak more often
    *_, last = describe_slices(found, ACCURACY)
    assert last == "  a True  0.6000 (0.313 to 0.832), 10 samples, perhaps by chance"


@pytest.mark.parametrize("features", [{}, {"same": np.ones(20)}, {"a": np.arange(20) < 10}])
def test_a_faultless_model_has_no_weak_slice(features):
    found = slices_of(np.zeros(20), features)
    assert all(part.score == part.p_value == 1 for part in found)
    [line] = describe_slices(found, ACCURACY)
    assert line == "No slice of the test split is weaker than the rest"


def test_one_sample_has_no_slices():
    assert slices_of([1], {"size": np.array([3.5]), "text": np.array(["a"])}) == []


def test_names_in_lines_are_short_and_of_one_line():
    wrong = np.arange(20) < 10
    found = slices_of(wrong, {"a\n<b>": np.where(wrong, "o" * 9999, "\n\x07")})
    [_, line] = describe_slices(found, ACCURACY)
    assert len(line) < 120
    assert line.startswith("  a <b> ooo")
    found = slices_of(wrong, {"\u732b": np.where(wrong, "\x1b[31m", "")})
    [_, line] = describe_slices(found, ACCURACY)
    assert line.startswith("  \u732b \\u001b[31m  ")


@pytest.mark.parametrize(
    ("numbers", "named"),
    [
        (range(1, 9), {"1 to 2": 2, "3 to 4": 2, "5 to 6": 2, "7 to 8": 2}),
        ([0.0] * 80 + list(range(1, 21)), {"0": 80, "1 to 20": 20}),
        ([9] * 80 + [3] * 20, {"3": 20, "9": 80}),
        ([5, 5, 5], {"5": 3}),
        ([NAN, 2, 2, NAN, 2], {"2": 3, "missing": 2}),
        ([NAN, NAN], {"missing": 2}),
        ([NAN, float("inf"), -float("inf")], {"-inf": 1, "inf": 1, "missing": 1}),
        ([1000.1, 1000.2, 1000.3, 1000.4], {f"1000.{k}": 1 for k in range(1, 5)}),
        ([0.123456, 0.234567, 12345.6, 1e300], {"0.123": 1, "0.235": 1, "12,346": 1, "1e+300": 1}),
        (np.array([7], dtype=np.uint64), {"7": 1}),
    ],
)
def test_numbers_are_cut_into_parts_that_hold_what_their_names_say(numbers, named):
    assert sizes(numbers) == named


def test_quarters_of_any_numbers_are_about_the_same_size():
    for seed in range(5):
        numbers = np.random.default_rng(seed).normal(size=1000).astype(np.float32)
        assert list(sizes(numbers).values()) == [250] * 4


def test_texts_are_groups_and_the_rare_ones_are_one_group():
    values = np.array(["a"] * 5 + [None, NAN] * 3 + ["x", "<b>", ""], dtype=object)
    assert sizes(values) == {"a": 5, "missing": 6, "3 other values": 3}
    assert sizes([True] * 5 + [False] * 6) == {"True": 5, "False": 6}
    many = [f"text {k}" for k in range(200) for _ in range(FEWEST_SAMPLES)]
    assert sizes(many)["100 other values"] == 100 * FEWEST_SAMPLES


def test_ten_thousand_distinct_texts_are_no_slices():
    distinct = np.array([f"{k} {'long' * 10}" for k in range(10_000)])
    assert slices_of(np.arange(10_000) % 2, {"id": distinct}) == []


def test_a_thousand_classes_are_a_thousand_slices():
    labels = np.arange(5000) % 1000
    probabilities = np.eye(1000, dtype=np.float32)[np.where(labels == 7, 8, labels)]
    scoring = Classification([f"c{k}" for k in range(1000)])
    first, *others = scoring.slices(probabilities, labels, {})
    assert (first.value, first.score) == ("c7", 0)
    assert len(others) == 999
