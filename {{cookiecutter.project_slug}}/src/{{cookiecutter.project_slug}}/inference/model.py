"""What a trained model says about itself, whichever runtime runs it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import UserError
from ..datasets.inputs import InputSpec
from .target import target_of

# Counted up when files change such that the code of before would misread them
FORMAT = 1


class Model(ABC):
    """A trained network, as its file describes it; a subclass loads the network and runs it.

    Args:
        path: The file.
        digest: The SHA-256 of the file, 64 hexadecimal digits.
        read: Reads the description from the file: the values of the attributes, by name.
        foreign: What a file is called whose description is not this project's.

    Attributes:
        classes: Class names, in the order of the logits.
        input_spec: What the inputs are, and how a sample becomes one.
        target: What it predicts.
        data: Settings of the data set that it was trained on and the digest of its arrays; None
            where it was trained without one.
        metrics: The metrics on the test split, by name.
        commit: The commit of the source that trained it; None outside a git repository.
        digest: The SHA-256 of the file.
        platform: What the Open Inference Protocol calls the runtime.

    Raises:
        UserError: The description is not this project's, or a newer version's.
    """

    platform: ClassVar[str]

    def __init__(
        self, path: Path | str, digest: str, read: Callable[[], Mapping[str, Any]], foreign: str
    ) -> None:
        self.path = path
        self.digest = digest
        try:
            found = read()
            newer = found.get("format", FORMAT) > FORMAT
        except Exception as error:  # a value may be of any type
            raise UserError(f"{path} is {foreign}") from error
        if newer:
            raise UserError(f"{path} was written by a newer version of this project: update it")
        try:
            self._describe(found)
        except UserError as error:
            raise UserError(f"{path} can't be used: {one_line(error)}") from error
        except Exception as error:
            raise UserError(f"{path} is {foreign}") from error

    def _describe(self, found: Mapping[str, Any]) -> None:
        self.classes: list[str] = found["classes"]
        self.input_spec = InputSpec(**found["input_spec"])
        self.target = target_of(self.classes, self.input_spec)
        self.data: dict[str, Any] | None = found.get("data")
        self.metrics: dict[str, float] = found.get("metrics", {})
        self.commit: str | None = found.get("commit")
        self.input_spec.summary()
        if not (
            isinstance(self.classes, list)
            and all(isinstance(name, str) for name in self.classes)
            and self.target.size > 0
            and isinstance(self.data, dict | None)
            and all(isinstance(value, int | float) for value in self.metrics.values())
            and isinstance(self.commit, str | None)
        ):
            raise TypeError

    @abstractmethod
    def outputs(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Run the network on inputs (batch, *input_spec.shape): (batch, target.size)."""

    def try_once(self) -> None:
        """Run two samples, the longest where the length varies: loading takes longer than that.

        Raises:
            UserError: The network fails, or does not fit the description.
        """
        spec = self.input_spec
        try:
            inputs = np.ones((2, *spec.shape), spec.dtype) if spec.varying else spec.zeros(2)
            outputs = self.outputs(inputs)
        except UserError:
            raise
        except Exception as error:  # each runtime has errors of its own
            raise UserError(f"{self.path} can't answer: {one_line(error)}") from error
        expected = (2, self.target.size)
        if outputs.shape != expected or outputs.dtype != np.float32:
            raise UserError(
                f"{self.path} can't answer: it returns {outputs.dtype} {outputs.shape} for two "
                f"samples, and not float32 {expected}"
            )


def one_line(error: Exception) -> str:
    """Shorten the message of an error to one line; its class stands for one that is empty."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:100]} ... {text[-195:]}"  # the cause may be last
