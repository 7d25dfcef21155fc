"""What trackers show of a model that predicts a number."""

from types import SimpleNamespace

import numpy as np
from sources import diabetes

from {{ cookiecutter.project_slug }}.datasets.base import build_data
from {{ cookiecutter.project_slug }}.training.results import best_results


def test_rows_have_values_and_errors_and_the_hardest_come_first(configure, number_folder):
    folder = number_folder / "data/processed/table"
    data = build_data(configure(*diabetes(), f"data.folder={folder}").data)
    trainer = SimpleNamespace(
        datamodule=data,
        checkpoint_callback=SimpleNamespace(best_model_path=number_folder / "models/model.ckpt"),
        callback_metrics={"test/r2": 0.5},
    )
    best = best_results(trainer, samples=5)
    assert best.header == ["name", "true", "predicted", "error"]
    true, predicted, errors = np.array([row[1:] for row in best.answers]).T
    np.testing.assert_allclose(true, data.arrays("test")[1])
    np.testing.assert_allclose(errors, abs(true - predicted), rtol=1e-3)
    assert (np.diff(errors[best.hardest]) <= 0).all()
    assert best.figures.keys() == {"mistakes", "predicted", "residuals", "samples"}
    assert best.classes == []
