import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec
from {{ cookiecutter.project_slug }}.evaluation.samples import (
    alike,
    draw_samples,
    features,
    profile,
    show,
)

SIZE = {"mean": 0.5, "deviation": 3.0, "median": 5.0, "low": 0.0, "high": 9.0}
SPEC = InputSpec(
    [
        {"name": "bill | length", "kind": "number", "missing": True, **SIZE},
        {
            "name": "island",
            "kind": "category",
            "missing": True,
            "categories": ["Biscoe", "$x$"],
            "common": "$x$",
        },
        {"name": "tagged", "kind": "boolean", "missing": True, **SIZE},
    ]
)
ROWS = np.array([[39.1, 1, 1], [math.nan, 0, math.nan], [1e-7, 2, 0]], np.float32)


def numbers(count: int) -> InputSpec:
    return InputSpec(
        [{"name": f"c{i}", "kind": "number", "missing": True, **SIZE} for i in range(count)]
    )


def test_a_row_is_shown_in_one_line():
    assert show(ROWS[0], SPEC) == "bill | length: 39.1, island: Biscoe, tagged: True"
    assert show(ROWS[1], SPEC) == "bill | length: -, island: -, tagged: -"
    assert show(ROWS[2], SPEC) == "bill | length: 1e-07, island: $x$, tagged: False"


@pytest.mark.parametrize(("rows", "columns"), [(3, 1), (0, 3), (25, 40)])
def test_rows_are_drawn_as_a_table(rows, columns, tmp_path):
    spec = numbers(columns)
    inputs = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)
    titles = [f"table.csv:{number}\ntrue a\nguess b" for number in range(rows)]
    figure = draw_samples(inputs, spec, titles, "The worst $mistakes$")
    assert isinstance(figure, Figure)
    figure.savefig(tmp_path / "table.png")
    (table,) = figure.axes[0].tables
    cells = {place: cell.get_text().get_text() for place, cell in table.get_celld().items()}
    assert len(cells) == (rows + 1) * (min(columns, 6) + 1)
    assert cells[0, 1] == "c0"
    if rows:
        assert cells[1, 0].startswith("table.csv:0")
        assert cells[rows, 1] == f"{inputs[-1, 0]:.6g}"


def test_the_profile_counts_what_is_missing():
    lines = profile({"train": ROWS, "val": ROWS[:1], "test": ROWS[1:2]}, SPEC)
    assert lines[0].endswith("| missing in train | missing in val | missing in test |")
    assert lines[2] == r"| bill \| length | number | 0 to 9, median 5 | 1 | 0 | 1 |"
    assert lines[3] == r"| island | category | Biscoe, \$x\$ | 1 | 0 | 1 |"
    assert lines[4] == "| tagged | boolean | 50.0% true | 1 | 0 | 1 |"
    assert lines[-1] == "Pairs of columns with a correlation above 0.9: 0."


def test_columns_that_say_nearly_the_same_are_named():
    draw = np.random.default_rng(0)
    first, other = draw.normal(size=(2, 100))
    columns = [first, other, -2 * first + 0.1 * draw.normal(size=100), np.ones(100), first]
    inputs = np.stack(columns, axis=1).astype(np.float32)
    inputs[::3, 0] = math.nan
    found = alike(inputs, numbers(5))
    assert found[0][:2] == ("c0", "c4")
    assert {pair[:2] for pair in found} == {("c0", "c4"), ("c2", "c4"), ("c0", "c2")}
    assert found[0][2] == pytest.approx(1)
    assert found[-1][2] < -0.99
    lines = profile({"train": inputs}, numbers(5))
    assert "| c0 | c4 | 1.000 |" in lines


def test_features_are_the_columns_themselves():
    found = features(ROWS, SPEC)
    np.testing.assert_array_equal(found["bill | length"], ROWS[:, 0])
    assert found["island"].tolist() == ["Biscoe", None, "$x$"]
    assert found["tagged"].tolist() == ["true", None, "false"]
