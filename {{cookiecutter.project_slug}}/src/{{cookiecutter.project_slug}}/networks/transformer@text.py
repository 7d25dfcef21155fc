"""Encoders of the package transformers: small ones from scratch, and those trained before."""

import json
import logging
import sys
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .. import UserError
from ..hub import explaining, find_source
from .base import Network

log = logging.getLogger(__name__)


class Transformer(Network):
    """Attention between all characters or tokens of a text, then a layer for the classes.

    Without `pretrained` and `config`, it is a small BERT with random weights.

    Source: https://arxiv.org/abs/1810.04805

    Args:
        vocabulary_size: Numbers that characters or tokens can have, with 0 for padding.
        length: Most characters or tokens of a text.
        num_classes: Number of logits.
        pretrained: A model of the package `transformers` to start from: a folder, or a name on the
            Hugging Face Hub, such as `owner/name` or `owner/name@revision`. Texts need its
            tokenizer then.
        config: Instead, the configuration of any such model, for random weights.
        depth: Layers of the small BERT.
        width: Width of its embeddings.
        heads: Parts of an embedding that attend on their own.
        rows: Rows of the table of embeddings, at most: where there are more numbers, as there are
            of characters, several share a row.
        dropout: Probability of zeroing a feature, 0 to 1.

    Attributes:
        rebuild: The options that build the same network without its source: a checkpoint holds
            them, and the weights.

    Raises:
        UserError: The package is missing, an option can't work, or the model can't be read or
            does not fit the texts.
    """

    def __init__(
        self,
        vocabulary_size: int,
        length: int,
        num_classes: int,
        pretrained: str | None = None,
        config: Mapping[str, Any] | None = None,
        depth: int = 2,
        width: int = 64,
        heads: int = 4,
        rows: int = 5000,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        numbers = {"depth": depth, "width": width, "heads": heads, "rows": rows}
        for name, value in numbers.items():
            if value < 1:
                raise UserError(f"model.network.{name} is {value}: give a number from 1")
        if pretrained:
            model = read_model(pretrained, vocabulary_size - 1, num_classes)
        else:
            sizes = {
                "model_type": "bert",
                "hidden_size": width,
                "num_hidden_layers": depth,
                "num_attention_heads": heads,
                "intermediate_size": 2 * width,
                "hidden_dropout_prob": dropout,
                "attention_probs_dropout_prob": dropout,
                "pad_token_id": None,  # the mask alone says what is padding
            }
            fitting = {"vocab_size": min(rows, vocabulary_size), "max_position_embeddings": length}
            model = make_model({**fitting, **(config or sizes)}, num_classes)
        self.layers = Encoder(model)
        self.rebuild = {"pretrained": None, "config": plain_config(model)}
        check_length(self.layers, length, pretrained)


class Encoder(nn.Module):
    """A classifier of the package `transformers`, for texts as they are stored.

    Args:
        model: The classifier.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.tokens: int = model.config.vocab_size
        self.padding: int = model.config.pad_token_id or 0

    def forward(self, numbers: Tensor) -> Tensor:
        """Map int64 numbers (batch, length) to logits (batch, classes)."""
        there = numbers != 0
        ids = ((numbers - 1) % self.tokens).masked_fill(~there, self.padding)
        logits: Tensor = self.model(input_ids=ids, attention_mask=there.long()).logits
        return logits


def make_model(config: Mapping[str, Any], num_classes: int) -> Any:
    """Make a model with random weights.

    Args:
        config: Its configuration, with the name of its kind, `model_type`.
        num_classes: Number of logits.

    Raises:
        UserError: The package is missing, or there is no such model.
    """
    with explaining("model=transformer", "transformers"):
        from transformers import AutoConfig, AutoModelForSequenceClassification

        options = {**config, "num_labels": num_classes}
        made: Any = AutoConfig.for_model(options.pop("model_type", None), **options)
        classifiers: Any = AutoModelForSequenceClassification
        return classifiers.from_config(made, trust_remote_code=False, dtype=torch.float32)


def read_model(pretrained: str, tokens: int, num_classes: int) -> Any:
    """Read a model and its weights; no code that comes with it runs.

    Args:
        pretrained: As for `Transformer`.
        tokens: Number of tokens that texts are made of.
        num_classes: Number of logits.

    Raises:
        UserError: The package is missing, the model can't be read, or knows fewer tokens.
    """
    setting = "model.network.pretrained"
    with explaining(f"{setting}={pretrained}", "transformers"):
        from transformers import AutoModelForSequenceClassification
        from transformers.utils import logging as own_logging

        classifiers: Any = AutoModelForSequenceClassification
        messages: Any = own_logging
        messages.set_verbosity_error()  # the line below says the same in short
        if not sys.stderr.isatty():
            messages.disable_progress_bar()
        name, revision = find_source(pretrained, setting)
        model, report = classifiers.from_pretrained(
            name,
            revision=revision,
            num_labels=num_classes,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,  # a layer for other classes
            output_loading_info=True,
            trust_remote_code=False,
        )
    if tokens > model.config.vocab_size:
        raise UserError(
            f"{setting}={pretrained} knows {model.config.vocab_size:,} tokens, but the texts have "
            f"{tokens:,}: read them with its tokenizer, data.tokenizer={pretrained}"
        )
    new = sorted({*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])})
    total = len(model.state_dict())
    log.info("%d of %d weights are from %s; new: %s", total - len(new), total, pretrained, new)
    return model


def plain_config(model: Any) -> dict[str, Any]:
    """Return the configuration of a model as plain values, for `make_model`."""
    config: dict[str, Any] = json.loads(model.config.to_json_string(use_diff=False))
    # What `make_model` sets, and where the model was read from
    left_out = {"_name_or_path", "dtype", "id2label", "label2id", "num_labels"}
    return {name: value for name, value in config.items() if name not in left_out}


def check_length(layers: Encoder, length: int, pretrained: str | None) -> None:
    """Refuse a model that has no place for the longest texts, or is no encoder.

    Raises:
        UserError: It fails on a text of this length.
    """
    try:
        with torch.no_grad():
            layers(torch.ones((1, length), dtype=torch.int64))
    except Exception as error:  # each kind of model raises its own
        source = f"pretrained={pretrained}" if pretrained else "config"
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"model.network.{source} fails on a text of {length} tokens, the most that data.length "
            f"allows: {reason}"
        ) from error
