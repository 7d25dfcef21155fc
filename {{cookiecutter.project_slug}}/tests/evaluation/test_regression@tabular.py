"""Numbers from the checkpoint to the reports: each command says what classes have for them."""

import contextlib
import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sources import diabetes

from {{ cookiecutter.project_slug }}.evaluation.comparison import compare
from {{ cookiecutter.project_slug }}.evaluation.data_report import describe
from {{ cookiecutter.project_slug }}.evaluation.regression import Regression
from {{ cookiecutter.project_slug }}.evaluation.report import evaluate
from {{ cookiecutter.project_slug }}.evaluation.slices import describe_slices
from {{ cookiecutter.project_slug }}.inference.checkpoint import load_checkpoint
from {{ cookiecutter.project_slug }}.inference.number import Number
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor

TARGET = Number({"name": "price", "mean": 0.0, "deviation": 2.0})


@pytest.fixture
def number_options(number_folder):
    """Name the checkpoint and its data, as Hydra options."""
    folder = f"data.folder={number_folder / 'data/processed/table'}"
    return [*diabetes(), folder, f"checkpoint={number_folder / 'models/model.ckpt'}"]


@pytest.fixture(scope="module")
def number_split(number_folder):
    """Open the inputs and the numbers of the test split."""
    folder = number_folder / "data/processed/table"
    return np.load(folder / "test_inputs.npy"), np.load(folder / "test_labels.npy")


@pytest.fixture(scope="module")
def reports(configure, number_folder, tmp_path_factory):
    """Evaluate the model, which remembers its data, beside the baseline."""
    folder = tmp_path_factory.mktemp("reports")
    with contextlib.chdir(number_folder):
        options = diabetes()
        evaluate(configure(*options, f"reports={folder}", "baseline=true", config="evaluate"))
    return folder


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_metrics_are_those_of_scikit_learn_and_of_training(reports, number_folder, number_split):
    inputs, true = number_split
    guess = Predictor(number_folder / "models/model.ckpt").predict(inputs)
    metrics = json.loads((reports / "metrics.json").read_text("utf-8"))
    saved = load_checkpoint(number_folder / "models/model.ckpt")
    assert metrics == pytest.approx(
        {
            "loss": saved["metrics"]["loss"],
            "rmse": root_mean_squared_error(true, guess),
            "mae": mean_absolute_error(true, guess),
            "r2": r2_score(true, guess),
        },
        rel=1e-4,
    )
    assert metrics == pytest.approx(saved["metrics"], rel=1e-4)


def test_reports_show_numbers_and_no_classes(reports):
    drawn = {path.stem for path in reports.glob("*.png")}
    assert drawn == {"learning_curves", "mistakes", "predicted", "residuals", "samples"}
    page = (reports / "index.html").read_text("utf-8")
    assert page.count("<img ") == 4  # the worst mistakes are a table
    for text in ("Residuals", "Which columns count", "r2 lost", "baseline"):
        assert text in page
    assert "accuracy" not in page


def test_each_row_has_its_line_and_the_largest_errors_come_first(reports, number_split):
    rows = read(reports / "predictions.csv")
    assert [float(row["true"]) for row in rows] == pytest.approx(number_split[1].tolist())
    errors = [abs(float(row["true"]) - float(row["predicted"])) for row in rows]
    assert [float(row["error"]) for row in rows] == pytest.approx(errors, abs=1e-3)
    worst = rows[int(np.argmax(errors))]["name"]
    page = (reports / "index.html").read_text("utf-8")
    listed = page.partition("<h2>Worst mistakes</h2>")[2]
    assert listed.index(f">{worst}<") < listed.index("</tr>", listed.index("<tbody>"))


def test_each_quarter_of_the_target_is_a_slice(reports):
    rows = [row for row in read(reports / "slices.csv") if row["feature"] == "progression"]
    assert len(rows) == 4
    for row in rows:
        assert float(row["low"]) < float(row["mae"]) < float(row["high"])


def test_a_slice_has_the_numbers_computed_by_hand():
    labels = np.zeros(20, np.float32)
    values = np.where(np.arange(20) < 4, 3, np.arange(20) % 2).astype(np.float32)
    color = np.array(["red"] * 10 + ["blue"] * 10)
    first, second = Regression(TARGET).slices(values, labels, {"color": color})
    assert (first.value, first.samples, first.score) == ("red", 10, pytest.approx(1.5))
    own = np.array([3] * 4 + [0, 1] * 3)
    reach = 1.959964 * own.std(ddof=1) / np.sqrt(10)
    assert (first.low, first.high) == pytest.approx((1.5 - reach, 1.5 + reach))
    assert first.p_value < 0.05
    assert second.p_value > 0.95
    assert first.mistakes == {0, 1, 2, 3}
    lines = describe_slices([first, second], Regression.slice_score)
    assert len(lines) == 2  # the other one is no weaker than a random one


@pytest.mark.parametrize("count", [1, 2])
def test_few_rows_have_finite_numbers(count):
    labels, values = np.ones(count, np.float32), np.zeros(count, np.float32)
    scoring = Regression(TARGET)
    assert scoring.score(values, labels) == {"loss": 0.25, "rmse": 1, "mae": 1, "r2": 0}
    found = scoring.slices(values, labels, {"a": np.arange(count)})
    assert all(np.isfinite([part.low, part.high, part.p_value]).all() for part in found)


def test_a_worse_candidate_is_refused_and_the_same_is_not(configure, number_options, capsys):
    current = number_options[-1].replace("checkpoint", "current", 1)
    compared = compare(configure(*number_options, current, config="evaluate"))
    assert (compared.lost, compared.gained) == (0, 0)
    saved = load_checkpoint(current.partition("=")[2])
    saved["state_dict"][list(saved["state_dict"])[-1]] += 1  # a deviation
    torch.save(saved, "spoilt.ckpt")
    options = [*number_options[:-1], current, "checkpoint=spoilt.ckpt"]
    with pytest.raises(SystemExit, match="1"):
        compare(configure(*options, config="evaluate"))
    assert "The candidate is worse" in capsys.readouterr().out
    compare(configure(*options, "max_quality_loss=2", config="evaluate"))


def test_the_report_on_the_data_shows_the_number(configure, number_options):
    report = describe(configure(*number_options[:-1], config="describe"))
    assert "with a number to predict, progression." in report
    assert "| split | samples | lowest | median | highest |" in report
    bars = report.partition("bar [")[2].partition("]")[0]
    assert sum(map(int, bars.split(","))) == 310  # training samples
