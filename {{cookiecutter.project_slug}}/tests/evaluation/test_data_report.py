import re
import shutil
from pathlib import Path

import example
import numpy as np
import pytest
from PIL import Image

from {{ cookiecutter.project_slug }}.evaluation import data_report
from {{ cookiecutter.project_slug }}.evaluation.data_report import chart, describe, describe_arrays


@pytest.fixture
def report(configure, options):
    return describe(configure(options[0], config="describe"))


def test_every_image_is_counted_once(report):
    shape = " x ".join(map(str, example.IMAGE_SHAPE))
    assert f"{example.IMAGES:,} images of {shape} in {len(example.CLASSES)} classes." in report
    rows = [line.split("|") for line in report.splitlines()]
    counts = {row[1].strip(): row[2:5] for row in rows if len(row) == 6}
    numbers = [int(cell.replace(",", "")) for name in example.CLASSES for cell in counts[name]]
    assert sum(numbers) == example.IMAGES


def test_the_report_is_written_and_all_but_the_chart_is_printed(configure, options, capsys):
    report = describe(configure(options[0], config="describe"))
    assert Path("reports/data.md").read_text("utf-8") == report
    tables, fence, drawn = report.partition("```mermaid")
    assert fence
    assert drawn.endswith("```\n")
    assert capsys.readouterr().out.startswith(tables)
    with Image.open("reports/data.png") as picture:
        assert len(picture.convert("L").getcolors()) > 20


def test_many_classes_have_no_chart(configure, options, monkeypatch):
    monkeypatch.setattr(data_report, "MOST_BARS", len(example.CLASSES) - 1)
    assert "```mermaid" not in describe(configure(*options, config="evaluate"))


def test_a_leak_is_seen_on_the_terminal(cli, trained):
    folder = Path("leaky")
    shutil.copytree(trained / example.FOLDER, folder)
    images, train = (np.load(folder / f"{split}_images.npy") for split in ("test", "train"))
    images[:3] = train[0]
    np.save(folder / "test_images.npy", images)
    code, output, _ = cli("describe", *example.OPTIONS, f"data.folder={folder}")
    found = re.search(r"Images of test that are training images too: (\d+)", output)
    assert (code, bool(found)) == (0, True)
    assert int(found[1]) >= 3


def test_leaks_and_chart_show_what_is_there():
    def split(*values: int):
        images = np.array(values, dtype=np.uint8).repeat(4).reshape(-1, 1, 2, 2)
        return images, np.zeros(len(values), dtype=np.int64)

    classes = ['a|"b"', "c"]
    arrays = {"train": split(1, 2, 3), "val": split(4), "test": split(2, 3, 5)}
    report = describe_arrays("toys", classes, [1, 2, 2], arrays)
    assert "Images of val that are training images too: 0." in report
    assert "Images of test that are training images too: 2." in report
    assert """| train | 3 | c: 0 | a\\|"b": 3 | 2.0 | 0.8 |""" in report
    drawn = chart(classes, arrays["train"][1])
    assert "bar [3, 0]" in drawn
    assert 'x-axis ["a|#34;b#34;", "c"]' in drawn
