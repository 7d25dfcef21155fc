import base64
import csv
import html
import json
from pathlib import Path

import example
import numpy as np
import pytest
import torch
from matplotlib.image import imread

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.evaluation.baseline import NAME, WHAT_COUNTS
from {{ cookiecutter.project_slug }}.evaluation.calibration import calibration
from {{ cookiecutter.project_slug }}.evaluation.classification import Classification
from {{ cookiecutter.project_slug }}.evaluation.report import evaluate, write_table
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor

FIGURES = ["calibration", "confusion_matrix", "learning_curves", "mistakes", "samples"]


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
    return Predictor(trained / "models/model.ckpt").predict(test_split[0])


def test_metrics_are_those_of_the_test_split(metrics, probabilities, test_split):
    labels = test_split[1]
    assert metrics == {
        "loss": pytest.approx(-np.log(probabilities[range(len(labels)), labels]).mean(), rel=1e-4),
        "accuracy": pytest.approx((probabilities.argmax(axis=1) == labels).mean()),
        "f1": pytest.approx(metrics["accuracy"], abs=0.05),
        "calibration_error": pytest.approx(calibration(probabilities, labels).error),
    }


def test_metrics_are_those_of_training(metrics, trained):
    with (trained / "run/csv/metrics.csv").open(encoding="utf-8", newline="") as file:
        tested = list(csv.DictReader(file))[-1]
    for name in ("loss", "accuracy", "f1"):
        assert float(tested[f"test/{name}"]) == pytest.approx(metrics[name], rel=1e-4)


def test_metrics_are_printed(configure, options, capsys):
    metrics = evaluate(configure(*options, config="evaluate"))
    *lines, last = capsys.readouterr().out.splitlines()
    assert lines[:4] == [f"{name:<19}{value:.4f}" for name, value in metrics.items()]
    assert lines[4].startswith(("Weakest slices", "No slice"))
    assert last == f"Reports are in reports: open {Path('reports/index.html')}"


def test_a_simple_model_is_compared_with(configure, options, capsys):
    metrics = evaluate(configure(*options, "baseline=true", config="evaluate"))
    lines = capsys.readouterr().out.splitlines()
    printed = {line.split()[0]: line.split() for line in lines[:4]}
    assert printed.keys() == metrics.keys()
    accuracy = float(printed["accuracy"][-1])
    assert 0.5 < accuracy <= 1
    assert lines[4] == f"The baseline is {NAME}"
    page = Path("reports/index.html").read_text("utf-8")
    assert f"{accuracy:.4f}" in page
    assert WHAT_COUNTS in page


def test_each_class_has_its_line(reports, probabilities, test_split):
    labels = test_split[1]
    with (reports / "per_class.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == example.CLASSES
    assert [int(row["samples"]) for row in rows] == np.bincount(labels).tolist()
    for k, row in enumerate(rows):
        recall = (probabilities.argmax(axis=1) == k)[labels == k].mean()
        assert float(row["recall"]) == pytest.approx(recall, abs=1e-4)


def test_each_class_is_a_slice_of_the_test_split(reports, probabilities, test_split):
    right = probabilities.argmax(axis=1) == test_split[1]
    with (reports / "slices.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    slices = {row["value"]: row for row in rows if row["feature"] == "class"}
    assert set(slices) == set(example.CLASSES)
    for label, name in enumerate(example.CLASSES):
        of_class = right[test_split[1] == label]
        assert int(slices[name]["samples"]) == len(of_class)
        assert float(slices[name]["accuracy"]) == pytest.approx(of_class.mean(), abs=1e-6)
    assert len({row["feature"] for row in rows}) > 1  # and something else that is known


def test_one_page_gathers_the_reports(reports, metrics):
    page = (reports / "index.html").read_text("utf-8")
    for name in ("calibration", "confusion_matrix", "learning_curves", "samples"):
        figure = base64.b64encode((reports / f"{name}.png").read_bytes()).decode()
        assert figure in page
    for text in [f"{value:.4f}" for value in metrics.values()] + example.CLASSES:
        assert f">{html.escape(text)}<" in page
    with (reports / "predictions.csv").open(encoding="utf-8", newline="") as file:
        wrong = [row["name"] for row in csv.DictReader(file) if row["true"] != row["predicted"]]
    shown = [f"<bdi>{html.escape(name)}</bdi>" in page for name in wrong]
    assert sum(shown) == min(len(wrong), 25)


def test_the_history_of_the_checkpoint_is_a_table(reports, trained):
    with (reports / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    saved = torch.load(trained / "models/model.ckpt", weights_only=True)
    assert rows == saved["history"]


def test_each_test_sample_has_its_line(reports, probabilities, test_split):
    labels, predicted = test_split[1], probabilities.argmax(axis=1)
    with (reports / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["name", "true", "predicted", *example.CLASSES]
    assert len({row["name"] for row in rows}) == len(rows) == len(labels)
    assert [row["true"] for row in rows] == [example.CLASSES[label] for label in labels]
    assert [row["predicted"] for row in rows] == [example.CLASSES[label] for label in predicted]
    written = [[float(row[name]) for name in example.CLASSES] for row in rows]
    np.testing.assert_allclose(written, probabilities, atol=1e-6)


def test_hostile_names_survive_the_table():
    classes = ["true", "true_", 'a,"b"\r', "name", "", "=1+1"]
    names = ["caf\udce9", "a\r", "b\n"]
    probabilities = np.eye(3, len(classes), dtype=np.float32)
    tables = Classification(classes).tables(names, np.arange(3), probabilities)
    write_table(Path("written.csv"), *tables["predictions"])
    with Path("written.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[:3] == ["name", "true", "predicted"]
    assert header[3:] == ["true_", "true__", 'a,"b"\r', "name_", "", "=1+1"]
    assert [row[0] for row in rows] == ["caf\\udce9", *names[1:]]
    assert [row[1] for row in rows] == classes[:3]
    assert [[float(value) for value in row[3:]] for row in rows] == probabilities.tolist()


@pytest.mark.parametrize(
    ("history", "lines"),
    [
        ([], []),
        ([{"epoch": 0, "val/f1": 0.5}], ["epoch,val/f1", "0,0.5"]),
        ([{"epoch": 0, "val/f1": 0.5}, {"epoch": 1, "x": 2}], ["epoch,val/f1", "0,0.5", "1,"]),
    ],
)
def test_what_a_history_lacks_is_no_error(configure, options, trained, history, lines):
    saved = torch.load(trained / "models/model.ckpt", weights_only=True)
    torch.save(saved | {"history": history}, "odd.ckpt")
    chosen = options[0], "checkpoint=odd.ckpt", "samples=0"
    evaluate(configure(*chosen, config="evaluate"))
    table = Path("reports/history.csv")
    assert (table.read_text("utf-8").splitlines() if table.is_file() else []) == lines
    assert Path("reports/learning_curves.png").is_file() == bool(history)


def test_too_many_samples_are_refused_before_anything_is_written(configure, options):
    with pytest.raises(UserError, match=r"^samples=100000: "):
        evaluate(configure(*options, "samples=100000", config="evaluate"))
    assert not Path("reports").exists()


@pytest.mark.parametrize("name", FIGURES)
def test_figures_show_something(reports, name):
    drawn = imread(reports / f"{name}.png")
    assert min(drawn.shape[:2]) > 200
    assert len(np.unique(drawn)) > 20


def test_a_device_that_is_not_there_is_named(configure, options):
    with pytest.raises(UserError, match="device 'nowhere'"):
        evaluate(configure(*options, "device=nowhere", config="evaluate"))
