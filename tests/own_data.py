"""Data that somebody may have, of each task: what tests put into the place of the example."""

import csv
import random
from pathlib import Path

from PIL import Image, ImageDraw

EACH = 40  # samples of each class


def paint_leaves(folder: Path) -> dict[str, str]:
    """Paint pictures of three shapes, of many sizes, as a camera, a scanner and a web page do."""
    labels = {}
    for number in range(EACH):
        width, height = 40 + 3 * number, 90 - number
        for name in ("maple leaf", "oak", "été"):
            picture = Image.new("RGBA", (width, height), (240, 240, 235, 255))
            draw = ImageDraw.Draw(picture)
            box = (width * 0.2, height * 0.2, width * 0.8, height * 0.8)
            if name == "oak":
                draw.ellipse(box, fill=(60, 120 + number, 40))
            elif name == "été":
                draw.rectangle(box, fill=(190, 150, 30 + number))
            else:
                corners = [(box[0], box[3]), (width / 2, box[1]), (box[2], box[3])]
                draw.polygon(corners, fill=(170 + number, 40, 40))
            kind = ("png", "jpg", "webp")[number % 3]
            path = folder / name / f"{number}.{kind}"
            path.parent.mkdir(parents=True, exist_ok=True)
            (picture if kind == "png" else picture.convert("RGB")).save(path)
            labels[path.relative_to(folder).as_posix()] = name
    return labels


def write_table(path: Path, header: list[str], rows: list[list[str]]) -> dict[str, str]:
    """Write a CSV file as a spreadsheet does, and name the rows by the lines where they start."""
    labels = {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        line = 2
        for row in rows:
            writer.writerow(row)
            labels[f"{path.name}:{line}"] = row[-1]
            line += 1 + sum(text.count("\n") for text in row)
    return labels


def write_letters(path: Path) -> dict[str, str]:
    """Write letters of three kinds, with quotes, commas and line breaks in them."""
    letters = {
        "invoice": 'Please pay "invoice {}", due at once,\nto our account.',
        "été": "L'été {}, la plage, le soleil et la mer !",
        "order": "We order {} boxes, the usual size;\nsend them by ship.",
    }
    rows = [[text.format(n), kind] for n in range(EACH) for kind, text in letters.items()]
    return write_table(path, ["text", "label"], rows)


def write_plants(path: Path) -> dict[str, str]:
    """Write what was measured of three plants: numbers and categories, some of them missing."""
    draw = random.Random(0)
    rows = []
    for number in range(EACH):
        for size, name in enumerate(["maple leaf", "oak", "été"]):
            length, width = draw.gauss(5 + 3 * size, 0.5), draw.gauss(9 - 2 * size, 0.5)
            found = "" if number % 9 == 0 else draw.choice(["field", "forest, old"])
            measured = "" if number % 7 == 0 else f"{width:.2f}"
            rows.append([f"{length:.2f}", measured, found, name])
    return write_table(path, ["length", "width", "found in", "plant"], rows)
