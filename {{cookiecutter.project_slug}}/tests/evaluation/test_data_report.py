import re
import shutil
from pathlib import Path

import example
import numpy as np
import pytest
from matplotlib.image import imread

from {{ cookiecutter.project_slug }}.evaluation import classification
from {{ cookiecutter.project_slug }}.evaluation.classification import Classification
from {{ cookiecutter.project_slug }}.evaluation.data_report import describe, describe_arrays


@pytest.fixture
def report(configure, options):
    return describe(configure(options[0], config="describe"))


def test_every_sample_is_counted_once(report):
    counted = f"{example.COUNT:,} samples of {example.SPEC} in {len(example.CLASSES)} classes."
    assert counted in report
    rows = [line.split("|") for line in report.splitlines()]
    counts = {
        row[1].strip(): row[2:5]
        for row in rows
        if len(row) == 6 and row[2].strip().replace(",", "").isdecimal()
    }
    numbers = [int(cell.replace(",", "")) for name in example.CLASSES for cell in counts[name]]
    assert sum(numbers) == example.COUNT


def test_the_report_is_written_and_all_but_the_chart_is_printed(configure, options, capsys):
    report = describe(configure(options[0], config="describe"))
    assert Path("reports/data.md").read_text("utf-8") == report
    tables, fence, drawn = report.partition("```mermaid")
    assert fence
    assert drawn.endswith("```\n")
    assert capsys.readouterr().out.startswith(tables)
    assert len(np.unique(imread("reports/data.png"))) > 20


def test_many_classes_have_no_chart(configure, options, monkeypatch):
    monkeypatch.setattr(classification, "MOST_BARS", len(example.CLASSES) - 1)
    report = describe(configure(*options, config="evaluate"))
    assert "Training samples of each class" not in report


def test_a_leak_is_seen_on_the_terminal(cli, trained):
    folder = Path("leaky")
    shutil.copytree(trained / example.FOLDER, folder)
    inputs, train = (np.load(folder / f"{split}_inputs.npy") for split in ("test", "train"))
    inputs[:3] = train[0]
    np.save(folder / "test_inputs.npy", inputs)
    code, output, _ = cli("describe", *example.OPTIONS, f"data.folder={folder}")
    found = re.search(r"Samples of test that are training samples too: (\d+)", output)
    assert (code, bool(found)) == (0, True)
    assert int(found[1]) >= 3


def test_leaks_and_chart_show_what_is_there():
    samples = example.random_inputs(5)

    def split(*numbers: int):
        return samples[list(numbers)], np.zeros(len(numbers), dtype=np.int64)

    scoring = Classification(['a|"b"', "c"])
    arrays = {"train": split(0, 1, 2), "val": split(3), "test": split(1, 2, 4)}
    report = describe_arrays("toys", scoring, example.SPEC, arrays)
    assert "Samples of val that are training samples too: 0." in report
    assert "Samples of test that are training samples too: 2." in report
    assert """| train | 3 | c: 0 | a\\|"b": 3 |""" in report
    drawn = "\n".join(scoring.chart(arrays["train"][1]))
    assert "bar [3, 0]" in drawn
    assert 'x-axis ["a|#34;b#34;", "c"]' in drawn
