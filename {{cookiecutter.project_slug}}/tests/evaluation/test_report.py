import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.evaluation.metrics import compute_metrics
from {{ cookiecutter.project_slug }}.evaluation.plots import result_figures
from {{ cookiecutter.project_slug }}.evaluation.report import evaluate
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor

PICTURES = ["confusion_matrix", "learning_curves", "mistakes", "samples"]


@pytest.fixture(scope="session")
def options(trained):
    """Name the trained model, and the data that it was trained on."""
    digits = f"data.folder={trained / 'data/processed/digits'}"
    return digits, f"checkpoint={trained / 'models/model.ckpt'}"


@pytest.fixture(scope="session")
def reports(configure, options, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    evaluate(configure(*options, f"reports={folder}", config="evaluate"))
    return folder


@pytest.fixture(scope="session")
def answers(trained):
    """Predict the test split: labels and probabilities."""
    images = np.load(trained / "data/processed/digits/test_images.npy")
    labels = np.load(trained / "data/processed/digits/test_labels.npy")
    return labels, Predictor(trained / "models/model.ckpt").probabilities(images)


def test_metrics_are_those_computed_by_hand(reports, answers):
    labels, probabilities = answers
    predicted = probabilities.argmax(axis=1)
    f1 = [
        2 * sum((predicted == k) & (labels == k)) / (sum(predicted == k) + sum(labels == k))
        for k in range(10)
    ]
    metrics = json.loads((reports / "metrics.json").read_text("utf-8"))
    assert metrics == {
        "loss": pytest.approx(-np.log(probabilities[range(len(labels)), labels]).mean(), rel=1e-4),
        "accuracy": pytest.approx((predicted == labels).mean()),
        "f1": pytest.approx(np.mean(f1)),
    }


def test_metrics_are_those_of_training(reports, trained):
    metrics = json.loads((reports / "metrics.json").read_text("utf-8"))
    with (trained / "run/csv/metrics.csv").open(encoding="utf-8", newline="") as file:
        tested = list(csv.DictReader(file))[-1]
    for name, value in metrics.items():
        assert float(tested[f"test/{name}"]) == pytest.approx(value, rel=1e-4)


def test_each_class_has_its_line(reports, answers):
    labels, probabilities = answers
    with (reports / "per_class.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == list("0123456789")
    assert [int(row["images"]) for row in rows] == np.bincount(labels).tolist()
    for k, row in enumerate(rows):
        recall = (probabilities.argmax(axis=1) == k)[labels == k].mean()
        assert float(row["recall"]) == pytest.approx(recall, abs=1e-4)


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_show_something(reports, name):
    with Image.open(reports / f"{name}.png") as picture:
        assert min(picture.size) > 200
        assert len(picture.convert("L").getcolors()) > 20


def test_mistakes_are_ordered_by_confidence():
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.4, 0.6], [0.1, 0.9], [0.7, 0.3], [0.0, 1.0]], dtype=np.float32)
    images = np.arange(4, dtype=np.uint8).repeat(64).reshape(4, 1, 8, 8)
    figures = result_figures(images, labels, probabilities, ["cat", "dog"], 2)
    drawn = [axes for axes in figures["mistakes"].axes if axes.images]
    titles = ["true cat\nguess dog (90%)", "true dog\nguess cat (70%)"]
    assert [axes.get_title() for axes in drawn] == titles
    assert [axes.images[0].get_array().max() for axes in drawn] == [1, 2]


def test_a_faultless_model_has_reports_too():
    certain = np.eye(3, dtype=np.float32)
    images = np.zeros((3, 3, 8, 8), dtype=np.uint8)
    assert compute_metrics(certain, np.arange(3))["accuracy"] == 1
    assert compute_metrics(certain, np.arange(3))["loss"] == pytest.approx(0, abs=1e-5)
    figures = result_figures(images, np.arange(3), certain, ["a", "b", "c"], 5)
    assert not any(axes.images for axes in figures["mistakes"].axes)


def test_other_data_than_the_model_was_trained_on_is_refused(configure, options):
    for name in ("cat", "dog"):
        Path("pictures", name).mkdir(parents=True)
        for number in range(3):
            Image.new("L", (8, 8), number).save(f"pictures/{name}/{number}.png")
    pictures = "data=image_folder", "data.source=pictures", "data.folder=prepared"
    with pytest.raises(UserError, match="was trained on other classes"):
        evaluate(configure(*pictures, options[1], config="evaluate"))


def test_another_split_than_the_trained_one_is_refused(configure, options):
    with pytest.raises(UserError, match="made with other settings"):
        evaluate(configure(*options, "data.split_seed=1", config="evaluate"))


def test_a_device_that_is_not_there_is_named(configure, options):
    with pytest.raises(UserError, match="device 'nowhere'"):
        evaluate(configure(*options, "device=nowhere", config="evaluate"))


def test_a_missing_checkpoint_is_named(configure):
    with pytest.raises(UserError, match="nowhere"):
        evaluate(configure("checkpoint=nowhere.ckpt", config="evaluate"))
