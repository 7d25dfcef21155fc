"""A bag of character n-grams: fast, small, and hard to beat on short texts."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import UserError
from .base import Network

# Below 2^31, so that no product of two numbers below it leaves the range of int64
PRIME = 2_147_483_647
FACTOR = 1_000_003
SPACE = 32  # the code point


class NGrams(Network):
    """The embeddings of all n-grams of a text, summed, then one linear layer.

    An n-gram is a number of characters (or tokens) in a row. Each is hashed to a row of the table
    of embeddings, so that no list of known n-grams is needed, and none is unknown.

    Source: https://arxiv.org/abs/1607.01759

    Args:
        num_classes: Number of logits.
        longest: Characters of the longest n-grams; all shorter ones are taken too.
        buckets: Rows of the table of embeddings.
        dimension: Width of an embedding.
        dropout: Probability of leaving out an n-gram in training, 0 to 1.

    Raises:
        UserError: A number is too small, or `dropout` is no probability.
    """

    def __init__(
        self,
        num_classes: int,
        longest: int = 5,
        buckets: int = 65_536,
        dimension: int = 64,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        for name, value in {"longest": longest, "buckets": buckets, "dimension": dimension}.items():
            if value < 1:
                raise UserError(f"model.network.{name} is {value}: give a number from 1")
        if not 0 <= dropout < 1:
            raise UserError(f"model.network.dropout is {dropout}: it goes from 0 to below 1")
        self.layers = nn.Sequential(
            Hashing(longest, buckets),
            Bag(buckets, dimension, dropout),
            nn.Linear(dimension, num_classes),
        )


class Hashing(nn.Module):
    """Turns texts into the numbers of their n-grams.

    Args:
        longest: Characters of the longest n-grams.
        buckets: The numbers go from 1 to this; 0 stands for no n-gram.
    """

    def __init__(self, longest: int, buckets: int) -> None:
        super().__init__()
        self.longest, self.buckets = longest, buckets

    def forward(self, numbers: Tensor) -> Tensor:
        """Map int64 characters (batch, length) to int64 n-grams (batch, longest * (length + 2))."""
        # A space before and after the text, so that n-grams see where a word starts and ends
        characters = F.pad(numbers, (1, self.longest))
        place = torch.arange(characters.shape[1], device=numbers.device)
        end = 1 + (numbers != 0).sum(dim=1, keepdim=True)
        characters = characters.masked_fill((place == 0) | (place == end), SPACE)
        width = numbers.shape[1] + 2  # n-grams start at these places
        hashed = torch.zeros_like(characters[:, :width])
        ngrams = []
        for size in range(1, self.longest + 1):
            # Each place holds the hash of the characters from there on; the next one is added
            last = characters[:, size - 1 : size - 1 + width]
            hashed = (hashed * FACTOR + last + size) % PRIME
            numbered = hashed * FACTOR % PRIME % self.buckets + 1
            ngrams.append(numbered.masked_fill(last == 0, 0))
        return torch.cat(ngrams, dim=1)


class Bag(nn.Module):
    """Sums the embeddings of n-grams, over the root of their number.

    Source: "sqrtn" in https://www.tensorflow.org/api_docs/python/tf/nn/embedding_lookup_sparse

    Args:
        buckets: Numbers of n-grams, from 1.
        dimension: Width of an embedding.
        dropout: Probability of leaving out an n-gram in training, 0 to 1.
    """

    def __init__(self, buckets: int, dimension: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.embeddings = nn.Parameter(torch.randn(buckets + 1, dimension) * 0.02)

    def forward(self, ngrams: Tensor) -> Tensor:
        """Map int64 n-grams (batch, n-grams), 0 for none, to floats (batch, dimension)."""
        if self.training and self.dropout:
            left_out = torch.rand(ngrams.shape, device=ngrams.device) < self.dropout
            ngrams = ngrams.masked_fill(left_out, 0)
        there = ngrams != 0
        if torch.compiler.is_exporting():  # an exported graph has no bags
            total = (F.embedding(ngrams, self.embeddings) * there.unsqueeze(2)).sum(dim=1)
        else:  # without a copy of all embeddings of a batch, four times as fast
            total = F.embedding_bag(ngrams, self.embeddings, mode="sum", padding_idx=0)
        return total / there.sum(dim=1, keepdim=True).clamp(min=1).sqrt()
