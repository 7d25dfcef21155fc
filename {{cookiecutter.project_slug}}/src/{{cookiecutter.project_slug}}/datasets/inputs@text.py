"""From a text to the network's input, in one way for training and for prediction."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import UserError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# White space, line breaks too, and control characters, among them NUL, which is the padding
SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
SURROGATE = re.compile("[\ud800-\udfff]")
MOST_MARKS = 100  # combining characters after one letter
COMPOSED_MARKS = "\u0f73\u0f75\u0f81"  # are no combining characters before they are decomposed


@dataclass(frozen=True)
class InputSpec:
    """The texts that a network takes: int32 numbers (length,), padded with 0 at the end.

    Without a tokenizer, they are the code points of the characters; with one, they are the ids of
    its tokens plus 1, with the special tokens that it may put around a text.

    Attributes:
        length: Most characters, or tokens, of a text; the rest of a longer one is cut off.
        tokenizer: A tokenizer of the package `tokenizers`, as its JSON; None takes characters.

    Raises:
        UserError: `length` is no whole number from 1.
    """

    length: int
    tokenizer: str | None = None

    dtype: ClassVar[type[np.generic]] = np.int32
    # Axes of an input that may have another length in each batch
    varying: ClassVar[tuple[int, ...]] = (0,)

    def __post_init__(self) -> None:
        if not isinstance(self.length, int) or self.length < 1:
            raise UserError(f"length is {self.length!r}: give a whole number from 1")

    @property
    def shape(self) -> list[int]:
        """The length of a stored input; a network takes any shorter one too."""
        return [self.length]

    @property
    def unit(self) -> str:
        """What is counted: `characters` or `tokens`."""
        return "tokens" if self.tokenizer else "characters"

    def network_options(self) -> dict[str, Any]:
        """Return what the constructor of a network may ask for, by the names of its parameters."""
        tokens = self.tokens.get_vocab_size() if self.tokenizer else 0x10FFFF
        return {"vocabulary_size": tokens + 1, "length": self.length}

    @cached_property
    def tokens(self) -> "Tokenizer":
        """The tokenizer, which cuts texts so that their special tokens stay.

        Raises:
            UserError: The package is missing, or the JSON is no tokenizer, or `length` has no room
                for more than its special tokens.
        """
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise UserError("this model reads tokens: install the package tokenizers") from error
        try:
            tokens = Tokenizer.from_str(str(self.tokenizer))
        except Exception as error:  # the package raises no class of its own
            raise UserError(f"the tokenizer of the inputs can't be read: {error}") from error
        special = tokens.num_special_tokens_to_add(is_pair=False)
        if self.length <= special:
            raise UserError(f"length is {self.length}, but {special} tokens are added to each text")
        tokens.no_padding()
        tokens.enable_truncation(self.length)
        return tokens

    def encode(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """Turn texts into inputs.

        Args:
            texts: Any texts that `clean` takes.

        Returns:
            Shape (texts, length).

        Raises:
            UserError: A text is empty or no valid text.
        """
        inputs = np.zeros((len(texts), self.length), np.int32)
        for row, text in zip(inputs, texts, strict=True):
            numbers = self.numbers(clean(text))
            row[: len(numbers)] = numbers
        return inputs

    def numbers(self, cleaned: str) -> NDArray[np.int32]:
        """Turn one text that `clean` returned into its numbers, at most `length`."""
        if self.tokenizer:
            return np.array(self.tokens.encode(cleaned).ids, np.int32) + 1
        return np.frombuffer(cleaned[: self.length].encode("utf-32-le"), "<i4")

    def decode(self, sample: NDArray[np.int32]) -> str:
        """Turn one input of any length back into the text, as far as it was not cut off."""
        numbers = sample[sample != 0]
        if self.tokenizer:
            text: str = self.tokens.decode((numbers - 1).tolist())
            return text.strip()
        return "".join(map(chr, numbers))

    def same_inputs(self, other: "InputSpec") -> bool:
        """Say whether inputs that are made for one of the two mean the same to the other."""
        return self == other

    def zeros(self, count: int) -> NDArray[np.int32]:
        """Make a batch of texts of one character, such as for a first run of a network."""
        inputs = np.zeros((count, self.length), np.int32)
        inputs[:, 0] = 1
        return inputs

    def trim(self, inputs: NDArray[np.int32]) -> NDArray[np.int32]:
        """Cut off the columns that are padding in all samples of a batch."""
        return inputs[:, : max(1, np.count_nonzero(inputs.any(axis=0)))]

    def summary(self) -> dict[str, Any]:
        """Describe the inputs in a few plain values."""
        return {"length": self.length, "unit": self.unit}

    def preprocessing(self) -> dict[str, str]:
        """Describe how a text becomes an input, for people who do it without this project."""
        number = "ids of the tokenizer in input_spec, plus 1" if self.tokenizer else "code points"
        return {
            "text": "Unicode NFC; white space and control characters become one space; stripped",
            "input": f"int32, (batch, length): {number}; cut at length, padded with 0 at the end",
        }

    def __str__(self) -> str:
        return f"at most {self.length:,} {self.unit}"


def is_mark(character: str) -> bool:
    """Say whether a character is a mark on the letter before it."""
    return unicodedata.combining(character) > 0 or character in COMPOSED_MARKS


def clean(text: str) -> str:
    """Bring a text into the form that networks see.

    Letters are composed (Unicode NFC), because systems write the same letter in different ways.
    What is white space or a control character becomes one space, and none at the ends.

    Raises:
        UserError: Nothing is left, the text holds half of a surrogate pair, which is what Python
            makes of bytes that are no UTF-8, or a letter has more than `MOST_MARKS` marks.
    """
    if len(text) > MOST_MARKS and not text.isascii():
        # To sort the marks of a letter takes a time that grows with the square of their number
        runs = groupby(text, is_mark)
        if any(is_marks and sum(1 for _ in run) > MOST_MARKS for is_marks, run in runs):
            raise UserError(f"a letter of the text has more than {MOST_MARKS} combining marks")
    if SURROGATE.search(text):
        raise UserError("the text holds bytes that are no UTF-8, or half of a surrogate pair")
    cleaned = SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip(" ")
    if not cleaned:
        raise UserError("the text holds white space only" if text else "the text is empty")
    return cleaned
