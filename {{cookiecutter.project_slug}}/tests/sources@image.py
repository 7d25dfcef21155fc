"""What the tests of data sets read: small pictures."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image


def draw(path: Path, color: object = 0, mode: str = "RGB", size: tuple[int, int] = (9, 7)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)


def draw_classes(folder: Path, count: int) -> None:
    """Draw a class of red and a class of blue pictures, each with another share of green."""
    for number in range(count):
        draw(folder / "blue" / f"{number}.png", (0, 10 * number, 255))
        draw(folder / "red" / f"{number}.jpg", (255, 10 * number, 0))


def pictures(more: int = 0) -> list[str]:
    draw_classes(Path("pictures"), 10 + more)
    return ["data.source=pictures"]


# For each data set of configs/data/ that reads files: a function that writes some to the current
# folder, with so many more samples of each class, and returns the options that name them
SOURCES: dict[str, Callable[..., list[str]]] = {"image_folder": pictures}
