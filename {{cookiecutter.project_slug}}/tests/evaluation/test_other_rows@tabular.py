"""A model and rows that it was not trained on: next month's table, or another one."""

from pathlib import Path

import pytest
from sources import birds, write

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.evaluation.comparison import compare
from {{ cookiecutter.project_slug }}.evaluation.report import evaluate
from {{ cookiecutter.project_slug }}.training.fit import train

MODEL = "models/model.ckpt"


def table(name: str, seed: int = 0, **changes: str) -> list[str]:
    """Write a table of birds; return the options that choose it."""
    rows = [[changes.get(value, value) for value in row] for row in birds(seed=seed)]
    source = write(f"{name}.csv", rows)
    folder = f"data.folder=prepared/{name}"
    return ["data=table", f"data.source={source}", "data.target=species", folder]


@pytest.fixture
def march(configure):
    """Train on the rows of one month."""
    options = table("march")
    train(configure(*options, "trainer.max_epochs=20"))
    return options


def test_rows_of_another_table_are_classified(march, configure, caplog):
    april = table("april", seed=1)
    result = evaluate(configure(*april, f"checkpoint={MODEL}", config="evaluate"))
    assert result["accuracy"] > 0.7
    assert "holds other samples" in caplog.text


def test_models_of_two_tables_are_compared(march, configure):
    Path(MODEL).rename("current.ckpt")
    april = table("april", seed=1)
    train(configure(*april, "trainer.max_epochs=20"))
    checkpoints = f"checkpoint={MODEL}", "current=current.ckpt", "max_quality_loss=1"
    comparison = compare(configure(*april, *checkpoints, config="evaluate"))
    assert comparison.current["accuracy"] > 0.7


def test_rows_with_other_categories_are_refused(march, configure):
    other = table("other islands", Dream="Fantasy")
    with pytest.raises(UserError, match="was trained on other classes or inputs"):
        evaluate(configure(*other, f"checkpoint={MODEL}", config="evaluate"))
