import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from {{ cookiecutter.project_slug }}.evaluation.data_report import chart, describe, describe_arrays


@pytest.fixture
def report(configure, trained):
    folder = f"data.folder={trained / 'data/processed/digits'}"
    return describe(configure(folder, config="evaluate"))


def test_every_image_is_counted_once(report):
    assert "1,797 images of 1 x 8 x 8 in 10 classes." in report
    rows = [line.split("|")[2:5] for line in report.splitlines() if re.match(r"\| \d \|", line)]
    assert len(rows) == 10
    assert sum(int(cell.replace(",", "")) for row in rows for cell in row) == 1797


def test_what_is_written_is_what_is_returned(report):
    assert Path("reports/data.md").read_text("utf-8") == report
    with Image.open("reports/data.png") as picture:
        assert len(picture.convert("L").getcolors()) > 20


def test_leaks_and_chart_show_what_is_there():
    def split(*values: int):
        images = np.array(values, dtype=np.uint8).repeat(4).reshape(-1, 1, 2, 2)
        return images, np.zeros(len(values), dtype=np.int64)

    arrays = {"train": split(1, 2, 3), "val": split(4), "test": split(2, 3, 5)}
    classes = ['a|"b"', "c"]
    report = describe_arrays("toys", classes, [1, 2, 2], arrays)
    report += chart(classes, arrays["train"][1])
    assert "Images of val that are training images too: 0." in report
    assert "Images of test that are training images too: 2." in report
    assert "bar [3, 0]" in report
    assert """x-axis ["a|'b'", "c"]""" in report
    assert """| train | 3 | c: 0 | a\\|"b": 3 | 2.0 | 0.8 |""" in report
