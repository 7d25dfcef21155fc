"""Learning a number: the loss and the metrics of an epoch."""

import csv

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.number import Number
from {{ cookiecutter.project_slug }}.training.regression import NumberObjective

TARGET = Number({"name": "price", "mean": 1000.0, "deviation": 50.0})


def test_metrics_of_several_processes_are_those_of_scikit_learn():
    draw = np.random.default_rng(0)
    true = torch.from_numpy(draw.normal(1000, 50, 40))
    guess = true + torch.from_numpy(draw.normal(0, 10, 40))
    objective = NumberObjective(TARGET, {})
    sums = objective.count(guess[:15], true[:15]) + objective.count(guess[15:], true[15:])
    measured = dict(zip(objective.metrics, objective.measure(sums), strict=True))
    assert measured["rmse"].item() == pytest.approx(root_mean_squared_error(true, guess))
    assert measured["mae"].item() == pytest.approx(mean_absolute_error(true, guess))
    assert measured["r2"].item() == pytest.approx(r2_score(true, guess))


def test_equal_true_values_explain_nothing():
    objective = NumberObjective(TARGET, {})
    true = torch.full((3,), 1000.0)
    assert objective.measure(objective.count(true + 1, true))[2] == 0


def test_the_loss_is_the_squared_error_in_deviations():
    outputs, true = torch.tensor([[1050.0], [1000.0]]), torch.tensor([1000.0, 1100.0])
    assert NumberObjective(TARGET, {}).training_loss(outputs, true).item() == (1 + 4) / 2


@pytest.mark.parametrize("loss", [{"class_weights": "balanced"}, {"label_smoothing": 0.1}])
def test_settings_for_classes_are_refused(loss):
    with pytest.raises(UserError, match=f"model.loss.{next(iter(loss))}"):
        NumberObjective(TARGET, {"class_weights": None, "label_smoothing": 0.0} | loss)


def test_a_run_logs_the_metrics_of_numbers_and_learns(number_folder):
    with (number_folder / "run/csv/metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    explained = [float(row["val/r2"]) for row in rows if row["val/r2"]]
    assert max(explained) > explained[0]
    saved = torch.load(number_folder / "models/model.ckpt", weights_only=True)
    assert saved["metrics"].keys() == {"loss", "rmse", "mae", "r2"}
    assert saved["metrics"]["r2"] > 0.3
    assert saved["history"][0].keys() >= {"train/rmse", "val/mae"}
