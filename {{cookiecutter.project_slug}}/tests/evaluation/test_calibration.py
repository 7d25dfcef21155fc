import numpy as np
import pytest

from {{ cookiecutter.project_slug }}.evaluation.calibration import calibration, calibration_figure


def binary(confidences):
    """Probabilities of two classes, the first of which is predicted."""
    return np.array([[one, 1 - one] for one in confidences], dtype=np.float32)


def test_bins_and_error_are_those_computed_by_hand():
    labels = np.array([0, 1, 0, 0, 0, 0, 0, 1])
    measured = calibration(binary([0.61, 0.65, 0.9, 0.91, 0.92, 0.92, 0.96, 1]), labels)
    assert measured.samples.tolist() == [2, 4, 2]
    np.testing.assert_allclose(measured.confidence, [0.63, 0.9125, 0.98], rtol=1e-6)
    np.testing.assert_allclose(measured.accuracy, [0.5, 1, 0.5])
    assert measured.error == pytest.approx(2 / 8 * 0.13 + 4 / 8 * 0.0875 + 2 / 8 * 0.48)


def test_the_error_tells_honest_from_overconfident_probabilities():
    generator = np.random.default_rng(0)
    confidences = generator.uniform(0.5, 1, 20_000)
    labels = (generator.random(20_000) > confidences).astype(np.int64)  # 0 as often as it says
    assert calibration(binary(confidences), labels).error < 0.02
    boasting = calibration(binary(np.full(20_000, 0.99)), labels)
    assert boasting.error == pytest.approx(0.99 - (labels == 0).mean(), abs=1e-6)


@pytest.mark.parametrize(
    ("probabilities", "label", "error"),
    [
        ([[1, 0]], 0, 0),
        ([[1, 0]], 1, 1),
        ([[0, 1.0000001]], 1, 0),
        ([[1]], 0, 0),
        ([[0.001] * 1000], 0, 0.999),
    ],
)
def test_certain_and_tiny_probabilities_have_a_bin(probabilities, label, error):
    measured = calibration(np.array(probabilities, dtype=np.float32), np.array([label]))
    assert measured.samples.tolist() == [1]
    assert measured.error == pytest.approx(error, abs=1e-6)


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_the_diagram_shows_each_bin(count):
    confidences = np.linspace(0.5, 1, count)
    measured = calibration(binary(confidences), np.arange(count) % 2)
    figure = calibration_figure(measured)
    figure.savefig("figure.png", dpi=20)
    upper, lower = figure.axes
    assert upper.get_title() == f"Expected calibration error {measured.error:.4f}"
    drawn = upper.containers[0].lines[0]
    np.testing.assert_allclose(drawn.get_xdata(), measured.confidence)
    np.testing.assert_allclose(drawn.get_ydata(), measured.accuracy)
    assert [bar.get_height() for bar in lower.patches] == measured.samples.tolist()
