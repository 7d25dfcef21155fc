"""What can be asked of a service, found in its `/model` and `/openapi.json`."""

import json
import random
from dataclasses import dataclass
from typing import Any

WORDS = ["the", "la", "der", "il", "Straße", "où", "日本", "не"]
WRONG = {"images": -1, "texts": 7, "rows": "x"}  # in the place of a pixel, a text, a value


@dataclass(frozen=True)
class Samples:
    """Samples of one task.

    Attributes:
        key: What a request calls its samples: `images`, `texts` or `rows`.
        example: The first sample of the document's example.
        most: Samples in the largest request.
        longest: Characters of the longest text.
        inputs: What `/model` says of one sample.
    """

    key: str
    example: Any
    most: int
    longest: int
    inputs: dict[str, Any]

    @classmethod
    def read(cls, model: dict[str, Any], document: dict[str, Any]) -> "Samples":
        """Read both documents of a service."""
        content = document["paths"]["/predict"]["post"]["requestBody"]["content"]
        schema = content["application/json"]["schema"]
        (schema,) = schema.get("anyOf", [schema])  # BentoML writes it so
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        ((key, one),) = schema["properties"].items()
        (example,) = one["examples"][0]
        longest = one["items"].get("maxLength", 0)
        return cls(key, example, one["maxItems"], longest, model["inputs"])

    def body(self, *samples: Any) -> bytes:
        """Write the body of a request."""
        return json.dumps({self.key: samples}, ensure_ascii=False).encode()

    @property
    def one(self) -> bytes:
        """The body of a request with the example."""
        return self.body(self.example)

    def draw(self, number: int) -> Any:
        """Draw a valid sample; each number gives another one."""
        dice = random.Random(number)
        if self.key == "images":
            low = dice.randrange(200)
            return replaced(self.example, lambda: dice.randrange(low, low + 56))
        if self.key == "texts":
            return " ".join(dice.choices(WORDS, k=9))
        numbers = (column for column in self.inputs["columns"] if column["kind"] == "number")
        drawn = {one["name"]: dice.uniform(one["low"], one["high"]) for one in numbers}
        return self.example | drawn

    def largest(self) -> bytes:
        """Write the body of the largest valid request."""
        samples = [self.draw(number) for number in range(self.most)]
        if self.key == "texts":
            samples = [(text * self.longest)[: self.longest] for text in samples]
        return self.body(*samples)

    def wrong(self) -> bytes:
        """Write a body of the most samples, in which every element is wrong."""
        return self.body(*[replaced(self.example, lambda: WRONG[self.key])] * self.most)


def replaced(value: Any, new: Any) -> Any:
    """Replace each number and text in nested lists and objects by what `new` returns."""
    if isinstance(value, list):
        return [replaced(one, new) for one in value]
    if isinstance(value, dict):
        return {name: replaced(one, new) for name, one in value.items()}
    return new()


def same(one: Any, other: Any) -> bool:
    """Say whether two answers are the same, but for the rounding of numbers."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-4 * max(1, abs(one))
    return bool(one == other)
