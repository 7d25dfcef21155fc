import csv
import json

import example
import numpy as np
import pytest
from PIL import Image

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.evaluation.report import evaluate
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor

PICTURES = ["confusion_matrix", "learning_curves", "mistakes", "samples"]


@pytest.fixture(scope="session")
def reports(configure, options, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    evaluate(configure(*options, f"reports={folder}", config="evaluate"))
    return folder


@pytest.fixture(scope="session")
def metrics(reports):
    return json.loads((reports / "metrics.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def probabilities(trained, test_split):
    return Predictor(trained / "models/model.ckpt").probabilities(test_split[0])


def test_metrics_are_those_of_the_test_split(metrics, probabilities, test_split):
    labels = test_split[1]
    assert metrics == {
        "loss": pytest.approx(-np.log(probabilities[range(len(labels)), labels]).mean(), rel=1e-4),
        "accuracy": pytest.approx((probabilities.argmax(axis=1) == labels).mean()),
        "f1": pytest.approx(metrics["accuracy"], abs=0.05),
    }


def test_metrics_are_those_of_training(metrics, trained):
    with (trained / "run/csv/metrics.csv").open(encoding="utf-8", newline="") as file:
        tested = list(csv.DictReader(file))[-1]
    for name, value in metrics.items():
        assert float(tested[f"test/{name}"]) == pytest.approx(value, rel=1e-4)


def test_metrics_are_printed(configure, options, capsys):
    metrics = evaluate(configure(*options, config="evaluate"))
    *lines, last = capsys.readouterr().out.splitlines()
    assert lines == [f"{name:<10}{value:.4f}" for name, value in metrics.items()]
    assert last == "Reports are in reports"


def test_each_class_has_its_line(reports, probabilities, test_split):
    labels = test_split[1]
    with (reports / "per_class.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == example.CLASSES
    assert [int(row["images"]) for row in rows] == np.bincount(labels).tolist()
    for k, row in enumerate(rows):
        recall = (probabilities.argmax(axis=1) == k)[labels == k].mean()
        assert float(row["recall"]) == pytest.approx(recall, abs=1e-4)


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_show_something(reports, name):
    with Image.open(reports / f"{name}.png") as picture:
        assert min(picture.size) > 200
        assert len(picture.convert("L").getcolors()) > 20


def test_a_device_that_is_not_there_is_named(configure, options):
    with pytest.raises(UserError, match="device 'nowhere'"):
        evaluate(configure(*options, "device=nowhere", config="evaluate"))
