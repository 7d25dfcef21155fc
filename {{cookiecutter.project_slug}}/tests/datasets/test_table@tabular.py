import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from sources import HEADER, ISLANDS, SPECIES, birds, write

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.splits import SPLITS
from {{ cookiecutter.project_slug }}.datasets.table import TableDataModule


def prepared(source: str = "table.csv", **options: object) -> TableDataModule:
    data = TableDataModule(source, "species", **options)
    data.prepare_data()
    return data


def refusal(target: str | None = "species", **options: object) -> str:
    """Prepare the table, which is refused in one line and leaves nothing."""
    with pytest.raises(UserError) as refused:
        TableDataModule("table.csv", target, **options).prepare_anew()
    assert len(str(refused.value).splitlines()) == 1
    assert [path.name for path in Path("data/processed").iterdir()] == [".table.lock"]
    return str(refused.value)


def with_column(name: str, values: list[str]) -> None:
    """Write the birds with another column before their species."""
    rows = zip(birds(len(values)), values, strict=True)
    header = [*HEADER[:-1], name, HEADER[-1]]
    write("table.csv", [[*row[:-1], value, row[-1]] for row, value in rows], header)


def column(data: TableDataModule, name: str) -> dict:
    return next(one for one in data.input_spec.columns if one["name"] == name)


def test_a_table_is_split_encoded_and_described():
    write("table.csv", birds())
    data = prepared()
    assert data.classes == SPECIES
    assert [one["kind"] for one in data.input_spec.columns] == [
        "number",
        "number",
        "category",
        "boolean",
    ]
    assert all(one["missing"] for one in data.input_spec.columns)
    assert column(data, "island")["categories"] == ISLANDS
    inputs, labels = data.arrays("train")
    assert inputs.dtype == np.float32
    assert inputs.shape == (84, 4)
    assert np.bincount(labels).tolist() == [28, 28, 28]
    bill = column(data, "bill")
    assert bill["mean"] == pytest.approx(np.nanmean(inputs[:, 0]), rel=1e-5)
    assert bill["deviation"] == pytest.approx(np.nanstd(inputs[:, 0]), rel=1e-4)
    assert (bill["low"], bill["high"]) == pytest.approx(
        (np.nanmin(inputs[:, 0]), np.nanmax(inputs[:, 0]))
    )


def test_each_row_has_the_name_of_its_line_and_the_values_of_it():
    rows = birds()
    write("table.csv", rows, separator=";")
    data = prepared()
    found = {}
    for split in SPLITS:
        inputs, labels = data.arrays(split)
        for row, label, name in zip(inputs, labels, data.names(split), strict=True):
            found[name] = {**data.input_spec.decode(row), "species": data.classes[label]}
    assert found.keys() == {f"table.csv:{number}" for number in range(2, 122)}
    for number, fields in enumerate(rows, start=2):
        values = dict(zip(HEADER, fields, strict=True))
        expected = {
            "bill": float(values["bill"]) if values["bill"] else None,
            "mass": float(values["mass"]) if values["mass"] else None,
            "island": values["island"] or None,
            "tagged": {"true": True, "false": False, "": None}[values["tagged"]],
            "species": values["species"],
        }
        assert found[f"table.csv:{number}"] == expected


def test_parquet_gives_the_same_as_csv():
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = birds()
    columns = dict(zip(HEADER, (list(values) for values in zip(*rows, strict=True)), strict=True))
    columns["bill"] = [float(text) if text else None for text in columns["bill"]]
    columns["tagged"] = [{"true": True, "false": False, "": None}[t] for t in columns["tagged"]]
    parquet.write_table(arrow.table(columns), "table.parquet")
    write("table.csv", rows)
    csv, other = prepared(), prepared("table.parquet", folder="other")
    assert csv.input_spec == other.input_spec
    assert csv.digest == other.digest


def test_statistics_and_categories_are_those_of_the_training_rows():
    rows = birds()
    rows[0][2] = "Anvers"  # once, so that it is in one split only
    write("table.csv", rows)
    for seed in range(20):
        data = prepared(split_seed=seed)
        if "table.csv:2" not in data.names("train"):
            break
    assert column(data, "island")["categories"] == ISLANDS
    (split,) = (one for one in ("val", "test") if "table.csv:2" in data.names(one))
    assert data.arrays(split)[0][data.names(split).index("table.csv:2"), 2] == 0


def test_rows_with_the_same_values_are_kept_in_one_split(capsys):
    rows = birds(60)
    other = [[*rows[0][:-1], "Gentoo"]]
    write("table.csv", rows + rows[:30] + other)
    data = prepared()
    told = capsys.readouterr().out
    assert "31 rows have the values of an earlier one, 1 of them with another target" in told
    splits = [{row.tobytes() for row in data.arrays(split)[0]} for split in SPLITS]
    assert sum(map(len, splits)) == len(set.union(*splits))
    assert sum(len(data.arrays(split)[1]) for split in SPLITS) == 91


def test_classes_that_are_numbers_keep_their_order_and_their_text():
    rows = [[*row[:-1], ("2", "10", "1")[i % 3]] for i, row in enumerate(birds())]
    write("table.csv", rows)
    assert prepared().classes == ["1", "2", "10"]


def test_columns_can_be_dropped_and_numbers_can_be_names():
    with_column("postcode", [("00501", "10115", "75001")[i % 7 % 3] for i in range(120)])
    assert "data.categories=[postcode]" in refusal()
    data = prepared(drop=["bill"], categories=["postcode"])
    assert data.input_spec.names == ["mass", "island", "tagged", "postcode"]
    assert column(data, "postcode")["categories"] == ["00501", "10115", "75001"]


def test_the_file_and_the_settings_decide_whether_the_data_are_prepared_anew():
    write("table.csv", birds())
    data = prepared()
    assert data.is_prepared()
    assert TableDataModule("table.csv", "species", drop=["bill"]).outdated()
    write("table.csv", birds(seed=1))
    assert "source changed" in TableDataModule("table.csv", "species").outdated()


# What no network should learn from


def test_ids_are_refused():
    with_column("PassengerId", [str(7 * i % 1009) for i in range(120)])
    assert "'PassengerId' looks like an id: drop it with data.drop=[PassengerId]" in refusal()
    with_column("row", [str(i + 1) for i in range(120)])
    assert "column 'row' looks like an id" in refusal()
    with_column("name", [f"bird {i}" for i in range(120)])
    assert "column 'name' looks like an id or free text: 120 of 120 values differ" in refusal()
    with_column("size", [str(7 * i % 1009) for i in range(120)])
    assert column(prepared(), "size")["kind"] == "number"


def test_a_column_with_very_many_texts_is_refused():
    with_column("note", [f"text {i}" for i in range(1200)])
    assert "column 'note' has more than 1000 different texts" in refusal()


def test_a_copy_of_the_target_is_refused():
    with_column("code", [str(5 * (i % 3)) for i in range(120)])
    assert "column 'code' says the same as the target" in refusal()


@pytest.mark.parametrize("day", ["2026-11-{}", "{}.11.2026", "{}/11/2026", "2026-11-{}T10:00:00"])
def test_dates_are_refused(day):
    with_column("day", [day.format(10 + i % 9) for i in range(120)])
    assert "column 'day' holds dates" in (message := refusal())
    assert "data.drop=[day]" in message


# What can't be right


@pytest.mark.parametrize("value", ["inf", "-Infinity", "1e999", "1e39"])
def test_a_number_that_is_not_finite_is_refused_with_its_row(value):
    rows = birds()
    rows[6][0] = value
    write("table.csv", rows)
    assert f"table.csv:8, column 'bill' holds {value}" in refusal()


def test_a_text_among_numbers_is_refused_with_its_row():
    rows = birds()
    rows[4][1] = "3,700 g"
    write("table.csv", rows)
    assert "table.csv:6, column 'mass' holds '3,700 g', while" in refusal()


def test_a_row_without_a_class_is_refused():
    rows = birds()
    rows[9][-1] = rows[20][-1] = ""
    write("table.csv", rows)
    assert "table.csv:11, column 'species' is empty in 2 rows" in refusal()


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([], "no rows"),
        ([[*row[:-1], "Adelie"] for row in birds()], "is 'Adelie' in all rows"),
        ([[*row[:-1], f"n{i}"] for i, row in enumerate(birds())], "'n0' is no number"),
        ([*birds(), ["40", "4000", "Dream", "true", "King"]], "King has 1 "),
        ([["", *row[1:]] for row in birds()], "column 'bill' is empty in all rows"),
    ],
)
def test_tables_with_nothing_to_learn_are_refused(rows, named):
    write("table.csv", rows)
    assert named in refusal()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"target": "Species"}, "data.target: table.csv has no column 'Species' (did you mean 's"),
        ({"drop": ["wing"]}, "data.drop: table.csv has no column 'wing'"),
        ({"categories": ["wing"]}, "data.categories: table.csv has no column 'wing'"),
        ({"drop": HEADER[:-1]}, "no column beside the target"),
    ],
)
def test_options_that_name_no_column_are_refused(options, named):
    write("table.csv", birds())
    assert named in refusal(**options)


@pytest.mark.parametrize("content", ["", "species\na\nb\n", "a,b\n", "a,species,a\n1,2,3\n"])
def test_a_file_that_is_no_table_with_a_target_is_refused(content):
    Path("table.csv").write_text(content, encoding="utf-8")
    refusal()


def test_a_source_that_is_missing_is_named():
    assert "data.source table.csv is no file" in refusal()
    with pytest.raises(UserError, match=r"data\.source"):
        TableDataModule("", "species")


def test_without_a_target_the_columns_are_listed():
    write("table.csv", birds())
    assert "data.target: name the column" in (message := refusal(None))
    assert "one of 'bill', 'mass', 'island', 'tagged', 'species'" in message


def test_a_large_table_is_not_kept_as_text():
    rows = [[f"{i / 7:.3f}", f"{i % 13}", "Dream", "true", SPECIES[i % 3]] for i in range(20_000)]
    write("table.csv", rows)
    data = TableDataModule("table.csv", "species")
    tracemalloc.start()
    data.read_columns()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak / len(rows) / len(HEADER) < 25  # bytes; a short text alone has 50 and more
