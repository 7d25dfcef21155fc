"""Tokens: what the texts of a data set are cut into, where single characters are too small."""

from collections.abc import Sequence

from .. import UserError
from .inputs import InputSpec, clean

TOKENIZERS = ("bpe",)


def check_tokenizer(tokenizer: str | None, vocabulary: int) -> None:
    """Refuse settings that `make_spec` can't use.

    Raises:
        UserError: There is no such tokenizer, or its vocabulary is too small.
    """
    if tokenizer is not None and tokenizer not in TOKENIZERS:
        raise UserError(f"data.tokenizer is {tokenizer!r}: it is null or {', '.join(TOKENIZERS)}")
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
        vocabulary: Number of tokens; 256 of them are single bytes, so that none is unknown.
        texts: The training texts, and no others: a tokenizer must not have seen the test split.

    Raises:
        UserError: The package `tokenizers` is missing.
    """
    if tokenizer is None:
        return InputSpec(length)
    try:
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers
        from tokenizers.decoders import ByteLevel
    except ImportError as error:
        raise UserError(
            f"data.tokenizer={tokenizer} needs the package tokenizers: install it"
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
