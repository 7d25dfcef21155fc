"""Predictions for picture files, and for all pictures in folders."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from .. import UserError
from ..datasets.folders import walk
from ..datasets.inputs import SUFFIXES, read_image
from .predictor import Answer, Predictor, answer_each

BATCH = 64  # pictures in memory at a time


def find_pictures(paths: Sequence[Path]) -> list[Path]:
    """List picture files: those named, and those at any depth in the folders named, sorted.

    In folders, hidden files and files that are no pictures by their suffix are left out.

    Raises:
        UserError: A folder holds no pictures.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = [file for file in walk(path) if file.suffix.lower() in SUFFIXES]
        if not inside:
            raise UserError(f"{path} holds no pictures ({', '.join(sorted(SUFFIXES))})")
        found += inside
    return found


def predict_files(predictor: Predictor, paths: Sequence[Path], count: int = 1) -> Iterator[Answer]:
    """Classify picture files of any size, a batch in memory at a time.

    A file that can't be read does not stop the others.

    Args:
        predictor: The model.
        paths: The files.
        count: How many classes to list for each, at most.

    Returns:
        One answer for each file, in order.
    """
    spec = predictor.input_spec
    names = [str(path) for path in paths]
    return answer_each(predictor, names, lambda i: read_image(paths[i], spec), count, BATCH)
