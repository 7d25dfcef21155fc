"""Targets that are numbers, and what tells them from classes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sources import birds, write

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.table import TableDataModule
from {{ cookiecutter.project_slug }}.datasets.targets import Target

HEADER = ["bill", "island", "price"]


def kind_of(values: list[str], kind: str = "auto") -> str:
    target = Target("table.csv", "price", kind)
    for row, value in enumerate(values, start=2):
        target.add(value, row)
    return target.found()[0]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([f"{number}" for number in range(21)], "number"),
        ([f"{number}" for number in range(20)] * 2, "classes"),
        (["1", "2.5"], "number"),
        (["1.0", "2.0", "1"], "classes"),
        (["-1e3", "0.5", ""], "number"),
        ([f"{number:03}" for number in range(50)], "classes"),
        ([*(f"{number}.5" for number in range(2000)), "much"], "number"),
        ([*(f"{number}.5" for number in range(30)), "much"], "classes"),
        (["yes", "no"], "classes"),
    ],
)
def test_the_values_tell_numbers_from_classes(values, kind):
    assert kind_of(values) == kind


@pytest.mark.parametrize("kind", ["classes", "number"])
def test_the_kind_can_be_forced(kind):
    assert kind_of(["1", "2", "3"], kind) == kind_of(["1.5", "2", "3"], kind) == kind


def prices(count: int = 90) -> list[list[str]]:
    """Make rows with a price that is the bill times 100, and a little more."""
    draw = np.random.default_rng(0)
    rows = enumerate(birds(count))
    return [[f"{i / 7:.3f}", row[2], f"{100 * i / 7 + draw.normal():.2f}"] for i, row in rows]


def prepared(rows: list[list[str]], separator: str = ",", **options: object) -> TableDataModule:
    data = TableDataModule(str(write("table.csv", rows, HEADER, separator)), "price", **options)
    data.prepare_data()
    return data


def test_a_target_of_numbers_is_stored_as_it_is():
    rows = prices()
    data = prepared(rows)
    assert data.classes == []
    inputs, labels = data.arrays("train")
    assert labels.dtype == np.float32
    assert [len(data.arrays(split)[1]) for split in data.splits] == [63, 9, 18]
    for name, label in zip(data.names("train"), labels, strict=True):
        row = rows[int(name.partition(":")[2]) - 2]
        assert label == np.float32(row[-1])
    target = data.input_spec.target
    assert target["name"] == "price"
    assert target["mean"] == pytest.approx(labels.mean(), rel=1e-5)
    assert target["deviation"] == pytest.approx(labels.std(), rel=1e-5)
    assert inputs.shape[1] == len(data.input_spec.columns) == 2


def test_decimal_commas_are_points_in_the_target_too():
    rows = [[row[0], row[1], row[2].replace(".", ",")] for row in prices()]
    with_commas = prepared(rows, ";").arrays("test")[1]
    np.testing.assert_array_equal(with_commas, prepared(prices(), folder="other").arrays("test")[1])


def test_equal_rows_stay_together_whatever_their_number_is(capsys):
    rows = prices()
    data = prepared([*rows, *([*row[:-1], "1.5"] for row in rows[:30])])
    assert "30 of them with another target" in capsys.readouterr().out
    seen = {split: {one.tobytes() for one in data.arrays(split)[0]} for split in data.splits}
    assert seen["train"].isdisjoint(seen["val"] | seen["test"])


def changed(**values: str) -> list[list[str]]:
    """Put other prices into rows, by their line in the file."""
    rows = prices()
    for line, value in values.items():
        rows[int(line.removeprefix("line")) - 2][-1] = value
    return rows


@pytest.mark.parametrize(
    ("rows", "options", "named"),
    [
        (changed(line5=""), {}, "table.csv:5, column 'price' is empty in 1 rows"),
        (changed(line7="much"), {"target_kind": "number"}, "table.csv:7, column 'price' holds 'mu"),
        (changed(line7="much"), {}, "'much' is no number"),
        (changed(line7="inf"), {"target_kind": "number"}, "table.csv:7, column 'price' holds inf"),
        ([[*row[:-1], "2.5"] for row in prices()], {}, "is 2.5 in all rows"),
        ([[row[2], *row[1:]] for row in prices()], {}, "column 'bill' says the same as the target"),
        (prices(), {"target_kind": "numbers"}, "data.target_kind is 'numbers'"),
        (prices(), {"target_kind": "classes"}, "has 90 values in 90 rows"),
        (prices(2), {}, "has 2 different rows"),
    ],
)
def test_a_target_that_can_not_be_learned_is_refused_in_one_line(rows, options, named):
    with pytest.raises(UserError, match=named.replace("[", r"\[")) as refused:
        prepared(rows, **options)
    assert len(str(refused.value).splitlines()) == 1
    assert not Path("data/processed/table").exists()


def test_numbers_are_read_from_disk_as_from_memory():
    in_memory = prepared(prices())
    on_disk = TableDataModule("table.csv", "price", memory_limit_mb=0)
    for split in ("val", "test"):
        batches = [getattr(data, f"{split}_dataloader")() for data in (in_memory, on_disk)]
        for (inputs, labels), (same_inputs, same_labels) in zip(*batches, strict=True):
            assert labels.dtype == same_labels.dtype == torch.float32
            torch.testing.assert_close(inputs, same_inputs, equal_nan=True)
            torch.testing.assert_close(labels, same_labels)


def test_another_kind_prepares_the_rows_anew():
    rows = [[*row[:-1], str(number % 25)] for number, row in enumerate(prices())]
    assert prepared(rows).input_spec.target
    again = TableDataModule("table.csv", "price", target_kind="classes")
    assert "target_kind" in again.outdated()
    again.prepare_data()
    assert again.input_spec.target is None
    assert len(again.classes) == 25
