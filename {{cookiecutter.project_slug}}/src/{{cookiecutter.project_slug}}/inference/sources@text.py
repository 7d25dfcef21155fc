"""Predictions for texts, given on the command line or one a line in a file."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import UserError
from ..datasets.text_files import read_text
from .predictor import Answer, Predictor, answer_each

BATCH = 64  # texts in memory as inputs at a time


def find_texts(texts: Sequence[str], file: Path | None) -> list[str]:
    """List the texts that are named, and those in the file, which has one a line.

    Args:
        texts: Texts.
        file: A file in UTF-8, or in UTF-16 with its mark; lines with white space only are no texts.

    Raises:
        UserError: There are none, or the file can't be read.
    """
    lines = read_text(file, None).split("\n") if file else []
    found = [*texts, *(line for line in lines if line.strip())]
    if not found:
        raise UserError(f"{file} holds no texts" if file else "name a text, or --file FILE")
    return found


def predict_texts(predictor: Predictor, texts: Sequence[str], count: int = 1) -> Iterator[Answer]:
    """Classify texts, a batch in memory at a time.

    A text that can't be used does not stop the others.

    Args:
        predictor: The model.
        texts: The texts.
        count: How many classes to list for each, at most.

    Returns:
        One answer for each text, in order.
    """
    spec = predictor.input_spec
    spec.network_options()  # needs the tokenizer: one that is missing is no error of a text

    def read(place: int) -> NDArray[np.int32]:
        try:
            inputs: NDArray[np.int32] = spec.encode([texts[place]])[0]
        except UserError as error:
            raise UserError(f"text {place + 1}: {error}") from error
        return inputs

    return answer_each(predictor, texts, read, count, BATCH)
