"""Whether the model answers: for /readyz, and for the process around it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..inference.model import one_line
from .settings import Settings


class Health:
    """The state of a service: it warms up, answers, hangs, or leaves.

    Args:
        settings: `timeout` is the longest time that a batch may take.

    Attributes:
        has_answered: Whether the model has answered its first batch.
        failure: Why it can't answer any; empty otherwise.
        busy_since: When the model began with the batch that it has, on `time.monotonic`; None if
            it has none.
        leaves: Whether the service was told to stop.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.has_answered = self.leaves = False
        self.failure = ""
        self.busy_since: float | None = None

    def why_not_ready(self) -> str:
        """Say why requests should go elsewhere; empty if they should not."""
        if self.leaves:
            return "the service stops"
        if not self.has_answered:
            return "the model has not answered yet"
        if self.busy() > self.settings.timeout:
            return f"the model has not answered for {self.busy():.0f} s"
        return ""

    def problem(self) -> str:
        """Say why the process should end, and be started again; empty if it should not."""
        if self.has_answered and self.busy() > 3 * self.settings.timeout:
            return f"the model has not answered for {self.busy():.0f} s"
        return self.failure

    def fail(self, what: str, error: Exception) -> None:
        """Note that the model can't answer any request."""
        self.failure = f"{what}: {one_line(error)}"

    @contextmanager
    def working(self) -> Iterator[None]:
        """Note that the model has a batch."""
        self.busy_since = time.monotonic()
        try:
            yield
        finally:
            self.busy_since = None

    def busy(self) -> float:
        """Return for how many seconds the model has worked on its batch."""
        since = self.busy_since
        return 0 if since is None else time.monotonic() - since
