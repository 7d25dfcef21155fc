"""Micro-batching: requests that arrive while the model is busy share its next call."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inference.target import Predictions
from .payloads import has_room
from .worker import Worker

Inputs = NDArray[Any]


class QueueFullError(Exception):
    """The samples of a request do not fit in the queue."""


@dataclass(slots=True)
class Waiting:
    """A request of the queue.

    Attributes:
        inputs: Its samples, of shape (samples, *shape of an input).
        answer: Its predictions, or the reason why there are none. A client that leaves cancels it.
        since: When it was put into the queue, on `time.monotonic`.
        taken: When the model began with it; 0 before.
        answered: When the model had finished; 0 before.
        version: The version of the model that has answered; empty before.
    """

    inputs: Inputs
    answer: asyncio.Future[Predictions]
    since: float
    taken: float = 0
    answered: float = 0
    version: str = ""

    def times(self) -> dict[str, float]:
        """Return how long it waited and how long the model took, in milliseconds."""
        return {
            "queue_ms": round((self.taken - self.since) * 1000, 2),
            "model_ms": round((self.answered - self.taken) * 1000, 2),
        }


class Batcher:
    """Gathers inputs of concurrent requests into batches for one thread that runs the model.

    The life of a request:

    1. `submit` puts its inputs and a future, `answer`, into `waiting`. If they do not fit,
       it raises `QueueFullError`. If the model is idle, it starts `_work`.
    2. `_work` takes as many waiting requests as fit in one batch and calls `predict` in `worker`.
       It never waits for a batch to fill. Requests that arrive meanwhile share the next call.
    3. `_work` gives each `answer` its part of the predictions, or the exception of the call.
    4. If the answer takes longer than `timeout`, `_expire` sets a `TimeoutError` instead. A request
       that still waits then, or whose client has left, never reaches the model.

    A request of many samples may not fill the queue: it leaves room for those with few. One with
    `max_batch` samples fits while the queue is less than half full.

    Args:
        predict: Predicts each sample of a batch (batch, *shape of an input), and returns the
            version of its model too.
        max_batch: Most samples in one call.
        max_queue: Most samples in the queue.
        timeout: Seconds until a request without an answer gets a `TimeoutError`.
    """

    def __init__(
        self,
        predict: Callable[[Inputs], tuple[Predictions, str]],
        max_batch: int,
        max_queue: int,
        timeout: float,
    ) -> None:
        self.predict, self.max_batch, self.max_queue = predict, max_batch, max_queue
        self.timeout = timeout
        self.waiting: deque[Waiting] = deque()
        self.deadlines: deque[Waiting] = deque()
        self.timer: asyncio.TimerHandle | None = None
        self.waiting_samples = 0
        self.work: asyncio.Task[None] | None = None
        self.worker = Worker("model")

    def fits(self, samples: int) -> bool:
        """Tell whether the queue takes a request with so many samples."""
        return has_room(self.waiting_samples, samples, self.max_batch, self.max_queue)

    def submit(self, inputs: Inputs) -> Waiting:
        """Put the samples of one request into the queue, at most `max_batch`.

        Raises:
            QueueFullError: The samples do not fit in the queue.
        """
        if not self.fits(len(inputs)):
            raise QueueFullError
        loop = asyncio.get_running_loop()
        waiting = Waiting(inputs, loop.create_future(), time.monotonic())
        self.waiting.append(waiting)
        self.waiting_samples += len(inputs)
        if self.work is None:
            self.work = asyncio.create_task(self._work())
        while self.deadlines and self.deadlines[0].answer.done():
            self.deadlines.popleft()
        self.deadlines.append(waiting)
        if self.timer is None:  # one for all requests: a timer each costs more than the model
            self.timer = loop.call_later(self.timeout, self._expire)
        return waiting

    async def _work(self) -> None:
        while batch := self._next_batch():
            joined = np.concatenate([waiting.inputs for waiting in batch])
            taken = time.monotonic()
            problem: Exception | None = None
            predictions: Predictions = ()
            version = ""
            try:
                predictions, version = await self.worker.run(self.predict, joined)
            except Exception as error:  # noqa: BLE001 - these requests get it; the work goes on
                problem = error
            answered, start = time.monotonic(), 0
            for waiting in batch:
                size = len(waiting.inputs)
                waiting.taken, waiting.answered, waiting.version = taken, answered, version
                if waiting.answer.done():
                    pass
                elif problem:
                    waiting.answer.set_exception(problem)
                else:
                    waiting.answer.set_result(predictions[start : start + size])
                start += size
        self.work = None

    def _next_batch(self) -> list[Waiting]:
        """Take requests off the queue, and skip those that nobody waits for any more."""
        batch: list[Waiting] = []
        size = 0
        while self.waiting and size + len(self.waiting[0].inputs) <= self.max_batch:
            waiting = self.waiting.popleft()
            self.waiting_samples -= len(waiting.inputs)
            if not waiting.answer.done():
                batch.append(waiting)
                size += len(waiting.inputs)
        return batch

    def _expire(self) -> None:
        """End the requests whose time is over, and set the timer for the next one."""
        self.timer = None
        while self.deadlines and self.timer is None:
            waiting = self.deadlines[0]
            left = waiting.since + self.timeout - time.monotonic()
            if waiting.answer.done():
                self.deadlines.popleft()
            elif left <= 0:
                waiting.answer.set_exception(TimeoutError())
            else:
                self.timer = asyncio.get_running_loop().call_later(left, self._expire)
