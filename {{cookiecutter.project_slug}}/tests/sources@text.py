"""What the tests of data sets read: small texts."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from string import ascii_lowercase, digits
from typing import Any

import pytest

WORDS = ["sun", "rain", "snow", "wind", "fog", "hail", "storm", "cloud", "frost", "heat", "ice"]


def samples(count: int) -> list[tuple[str, str]]:
    """Make texts with a class that a single word gives away."""
    good = [(f"a good day with {WORDS[number % 11]} {number}", "good") for number in range(count)]
    bad = [(f"a bad night with {WORDS[number % 11]} {number}", "bad") for number in range(count)]
    return good + bad


def write_lines(path: Path, rows: Iterable[tuple[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def read_back(data: Any, *splits: str) -> dict[str, str]:
    """Return the class of each text that a data set holds."""
    return {
        data.input_spec.decode(sample): data.classes[label]
        for split in splits or data.splits
        for sample, label in zip(*data.arrays(split), strict=True)
    }


def texts(more: int = 0) -> list[str]:
    write_lines(Path("texts.jsonl"), samples(10 + more))
    return ["data.source=texts.jsonl"]


def hugging_face(more: int = 0) -> list[str]:
    # The folder of the tests has the name of the package, but no such module in it
    pytest.importorskip("datasets.load", reason="the package datasets is not installed")
    write_lines(Path("hub/train.jsonl"), samples(10 + more))
    return ["data.source=hub"]


def save_model(folder: Path, words: Iterable[str] = WORDS, length: int = 64) -> str:
    """Write a tiny model with random weights, and its tokenizer, as the package transformers does.

    It knows a token for each letter, and one for each of the words.
    """
    from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import WordPiece
    from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedTokenizerFast

    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")}
    letters = ascii_lowercase + digits
    known = [*special.values(), *letters, *(f"##{letter}" for letter in letters), *words]
    tokens = {token: number for number, token in enumerate(known)}
    tokenizer = Tokenizer(WordPiece(tokens, unk_token=special["unk_token"]))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_padding()  # as many published tokenizers do
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    config = AutoConfig.for_model(
        "bert",
        vocab_size=len(tokens),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=length,
        num_labels=3,
    )
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    return str(folder)


# For each data set of configs/data/ that reads files: a function that writes some to the current
# folder, with so many more samples of each class, and returns the options that name them
SOURCES: dict[str, Callable[..., list[str]]] = {"hugging_face": hugging_face, "texts": texts}
