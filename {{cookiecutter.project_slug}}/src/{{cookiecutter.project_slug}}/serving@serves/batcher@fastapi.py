"""Micro-batching: requests that arrive while the model is busy share its next call."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inference.target import Predictions

Inputs = NDArray[Any]
Answer = asyncio.Future[Predictions]
Waiting = tuple[Inputs, Answer]


class QueueFullError(Exception):
    """The samples of a request do not fit in the queue."""


class Batcher:
    """Gathers inputs of concurrent requests into batches for one thread that runs the model.

    The life of a request:

    1. `submit` puts its inputs and a future, `answer`, into `waiting`. If they do not fit,
       it raises `QueueFullError`. If the model is idle, it starts `_work`.
    2. `_work` takes as many waiting requests as fit in one batch and calls `predict` in `thread`.
       It never waits for a batch to fill. Requests that arrive meanwhile share the next call.
    3. `_work` gives each `answer` its part of the predictions, or the exception of the call, and
       `submit` returns or raises it.
    4. If the answer takes longer than `timeout`, `_expire` sets a `TimeoutError` instead. A request
       that still waits then, or whose client has gone, never reaches the model.

    Args:
        predict: Predicts each sample of a batch (batch, *shape of an input).
        max_batch: Most samples in one call.
        max_queue: Most samples in the queue.
        timeout: Seconds until a request without an answer gets a `TimeoutError`.
    """

    def __init__(
        self,
        predict: Callable[[Inputs], Predictions],
        max_batch: int,
        max_queue: int,
        timeout: float,
    ) -> None:
        self.predict, self.max_batch, self.max_queue = predict, max_batch, max_queue
        self.timeout = timeout
        self.waiting: deque[Waiting] = deque()
        self.deadlines: deque[tuple[float, Answer]] = deque()
        self.timer: asyncio.TimerHandle | None = None
        self.waiting_samples = 0
        self.worker: asyncio.Task[None] | None = None
        self.thread = ThreadPoolExecutor(max_workers=1)

    async def submit(self, inputs: Inputs) -> Predictions:
        """Predict the samples of one request, at most `max_batch`.

        Raises:
            QueueFullError: The samples do not fit in the queue.
            TimeoutError: There was no answer within `timeout`.
        """
        if self.waiting_samples + len(inputs) > self.max_queue:
            raise QueueFullError
        loop = asyncio.get_running_loop()
        answer: Answer = loop.create_future()
        self.waiting.append((inputs, answer))
        self.waiting_samples += len(inputs)
        if self.worker is None:
            self.worker = asyncio.create_task(self._work())
        while self.deadlines and self.deadlines[0][1].done():
            self.deadlines.popleft()
        deadline = loop.time() + self.timeout
        self.deadlines.append((deadline, answer))
        if self.timer is None:  # one for all requests: a timer each costs more than the model
            self.timer = loop.call_at(deadline, self._expire)
        return await answer

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := self._next_batch():
            joined = np.concatenate([inputs for inputs, _ in batch])
            try:
                predictions: Predictions = await loop.run_in_executor(
                    self.thread, self.predict, joined
                )
            except Exception as error:  # noqa: BLE001 - these requests get it; the worker continues
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(error)
                continue
            start = 0
            for inputs, answer in batch:
                if not answer.done():
                    answer.set_result(predictions[start : start + len(inputs)])
                start += len(inputs)
        self.worker = None

    def _next_batch(self) -> list[Waiting]:
        """Take requests off the queue, and skip those that nobody waits for any more."""
        batch: list[Waiting] = []
        size = 0
        while self.waiting and size + len(self.waiting[0][0]) <= self.max_batch:
            inputs, answer = self.waiting.popleft()
            self.waiting_samples -= len(inputs)
            if not answer.done():
                batch.append((inputs, answer))
                size += len(inputs)
        return batch

    def _expire(self) -> None:
        """End the requests whose time is over, and set the timer for the next one."""
        loop = asyncio.get_running_loop()
        self.timer = None
        while self.deadlines and self.timer is None:
            deadline, answer = self.deadlines[0]
            if answer.done():
                self.deadlines.popleft()
            elif deadline <= loop.time():
                answer.set_exception(TimeoutError())
            else:
                self.timer = loop.call_at(deadline, self._expire)
