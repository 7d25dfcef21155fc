"""Tokens: what the texts of a data set are cut into, where single characters are too small."""

from collections.abc import Sequence
from typing import Any

from .. import UserError
from ..hub import explaining, find_source
from .inputs import InputSpec, clean


def check_tokenizer(tokenizer: str | None, vocabulary: int) -> None:
    """Refuse settings that `make_spec` can't use.

    Raises:
        UserError: There is no such tokenizer, or its vocabulary is too small.
    """
    if not isinstance(tokenizer, str | None) or tokenizer == "":
        raise UserError(f"data.tokenizer is {tokenizer!r}: it is null, bpe or the name of a model")
    if not isinstance(vocabulary, int) or vocabulary < 257:
        raise UserError(f"data.vocabulary is {vocabulary!r}: give a whole number from 257")


def make_spec(
    length: int, tokenizer: str | None, vocabulary: int, texts: Sequence[str]
) -> InputSpec:
    """Decide what a network sees of a text.

    Args:
        length: Most characters or tokens of a text.
        tokenizer: None for characters; `bpe` for byte-pair encoding, which is learned here: the
            pairs of neighbours that occur most often become tokens, and so on.
            Source: https://arxiv.org/abs/1508.07909
            Else the tokenizer of a model of the package `transformers`, which is a folder or has a
            name on the Hugging Face Hub, such as `owner/name` or `owner/name@revision`.
        vocabulary: Number of tokens; 256 of them are single bytes, so that none is unknown.
        texts: The training texts, and no others: a tokenizer must not have seen the test split.

    Raises:
        UserError: A package is missing, or a tokenizer can't be read.
    """
    if tokenizer is None:
        return InputSpec(length)
    if tokenizer != "bpe":
        return InputSpec(length, read_tokenizer(tokenizer))
    try:
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers
        from tokenizers.decoders import ByteLevel
    except ImportError as error:
        raise UserError(
            f"data.tokenizer={tokenizer} needs the package tokenizers: install the dependency "
            "group tokens, as with `pip install --group tokens`"
        ) from error
    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.ByteLevel()  # puts a space before the first word too
    learned.decoder = ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learned.train_from_iterator(map(clean, texts), trainer)
    return InputSpec(length, learned.to_str())


def read_tokenizer(pretrained: str) -> str:
    """Read the tokenizer of a model; no code that comes with it runs.

    Args:
        pretrained: A folder, or a name on the hub, with `@` and a revision after it or without.

    Returns:
        The tokenizer as the package `tokenizers` writes it, in JSON.

    Raises:
        UserError: The package `transformers` is missing, or the tokenizer can't be read.
    """
    setting = "data.tokenizer"
    with explaining(f"{setting}={pretrained}", "transformers"):
        from transformers import AutoTokenizer

        name, revision = find_source(pretrained, setting)
        made: Any = AutoTokenizer.from_pretrained(name, revision=revision, trust_remote_code=False)
        if not made.is_fast:
            raise UserError(f"{setting}={pretrained} is none that the package tokenizers can run")
        tokens = made.backend_tokenizer
        tokens.no_padding()
        tokens.no_truncation()
        read: str = tokens.to_str()
        return read
