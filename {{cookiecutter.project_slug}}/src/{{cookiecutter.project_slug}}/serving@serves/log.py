"""The service's log: one line of JSON for each record, on standard output."""

import atexit
import logging
import sys
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

MOST_LINES = 20_000  # that wait to be written: some 5 MB
AT_ONCE = 4000  # bytes; a pipe keeps 4096 together where several processes write to it
PAUSE = 0.05  # seconds in which lines gather
PATIENCE = 3  # seconds that the end of the process waits for the last lines


class Lines:
    """Writes lines to standard output, in a thread that the event loop never waits for.

    Standard output may be a full disk, a pipe that nobody reads, or closed. Lines that can't be
    written are dropped and counted, and the log says how many as soon as it can.
    """

    def __init__(self) -> None:
        self.waiting: deque[bytes] = deque()
        self.lost = 0
        self.wake = threading.Event()
        self.thread: threading.Thread | None = None

    def start(self) -> None:
        """Write in a thread from now on; until now, `write` itself does."""
        self.thread = threading.Thread(target=self._work, name="log", daemon=True)
        self.thread.start()
        atexit.register(self.finish)

    def write(self, **fields: Any) -> None:
        """Add a line: a JSON object with these fields, after the time."""
        if len(self.waiting) >= MOST_LINES:
            self.lost += 1
            return
        self.waiting.append(to_json({"time": datetime.now(UTC), **fields}, fallback=repr) + b"\n")
        if self.thread is None:
            self._flush()
        elif not self.wake.is_set():
            self.wake.set()

    def finish(self) -> None:
        """Give the thread a moment to write the last lines."""
        end = time.monotonic() + PATIENCE
        while self.wake.is_set() and time.monotonic() < end:
            time.sleep(0.01)
        if self.lost:  # else Python itself may write once more, fail, and end with code 120
            sys.stdout = None

    def _work(self) -> None:
        while True:
            self.wake.wait()
            time.sleep(PAUSE)
            while self.waiting:
                self._flush()
            self.wake.clear()
            if self.waiting:  # it came after the last look
                self.wake.set()

    def _flush(self) -> None:
        """Write the first of the lines that wait, or drop them."""
        written, count = self.waiting.popleft(), 1
        while self.waiting and len(written) + len(self.waiting[0]) <= AT_ONCE:
            written += self.waiting.popleft()
            count += 1
        if self.lost:
            fields = {"time": datetime.now(UTC), "level": "WARNING", "lines_lost": self.lost}
            written += to_json(fields) + b"\n"
        try:
            sys.stdout.buffer.write(written)
            sys.stdout.buffer.flush()
            self.lost = 0
        except (OSError, ValueError, AttributeError):  # no room, closed, or none at all
            self.lost += count


lines = Lines()


class JsonHandler(logging.Handler):
    """Writes a record, with the `fields` of its `extra`, as one line of JSON."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        fields = {"logger": record.name, **getattr(record, "fields", {})}
        if record.exc_info:
            fields["exception"] = logging.Formatter().formatException(record.exc_info)
        lines.write(level=record.levelname, message=record.getMessage(), **fields)


def log_json(level: str) -> None:
    """Write the records of all loggers to standard output, one line of JSON each.

    Args:
        level: The least severe level that is written, such as `INFO`.
    """
    logging.basicConfig(level=level, handlers=[JsonHandler()])
