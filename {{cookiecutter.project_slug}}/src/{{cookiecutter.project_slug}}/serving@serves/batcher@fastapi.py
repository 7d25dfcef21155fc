"""Micro-batching: requests that arrive while the model is busy share its next call."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from ..inference.predictor import Prediction

Images = NDArray[np.uint8]
Answer = asyncio.Future[list[Prediction]]
Waiting = tuple[Images, Answer]


class QueueFullError(Exception):
    """There is more waiting than the model will get through soon."""


class Batcher:
    """Gathers images of concurrent requests into batches for one thread that runs the model.

    Nothing waits for a batch to fill: an idle model is called at once, with what arrived in the
    same turn of the event loop.

    Args:
        classify: Names the class of each image of a batch (batch, *image_shape).
        max_batch: Most images in one call.
        max_queue: Most images that wait.
        timeout: Seconds until a request that still waits is given up.
    """

    def __init__(
        self,
        classify: Callable[[Images], list[Prediction]],
        max_batch: int,
        max_queue: int,
        timeout: float,
    ) -> None:
        self.classify, self.max_batch, self.max_queue = classify, max_batch, max_queue
        self.timeout = timeout
        self.waiting: deque[Waiting] = deque()
        self.deadlines: deque[tuple[float, Answer]] = deque()
        self.timer: asyncio.TimerHandle | None = None
        self.images = 0  # that wait
        self.worker: asyncio.Task[None] | None = None
        self.thread = ThreadPoolExecutor(max_workers=1)

    async def submit(self, images: Images) -> list[Prediction]:
        """Classify the images of one request, at most `max_batch`.

        Raises:
            QueueFullError: They would not fit in the queue.
            TimeoutError: The model did not get through them in time.
        """
        if self.images + len(images) > self.max_queue:
            raise QueueFullError
        loop = asyncio.get_running_loop()
        answer: Answer = loop.create_future()
        self.waiting.append((images, answer))
        self.images += len(images)
        if self.worker is None:
            self.worker = asyncio.create_task(self._work())
        while self.deadlines and self.deadlines[0][1].done():
            self.deadlines.popleft()
        deadline = loop.time() + self.timeout
        self.deadlines.append((deadline, answer))
        if self.timer is None:  # one for all: one each would take longer than the model
            self.timer = loop.call_at(deadline, self._expire)
        return await answer

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := self._next_batch():
            joined = np.concatenate([images for images, _ in batch])
            try:
                predictions: list[Prediction] = await loop.run_in_executor(
                    self.thread, self.classify, joined
                )
            except Exception as error:  # noqa: BLE001 - it is theirs who asked
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(error)
                continue
            start = 0
            for images, answer in batch:
                if not answer.done():
                    answer.set_result(predictions[start : start + len(images)])
                start += len(images)
        self.worker = None

    def _next_batch(self) -> list[Waiting]:
        """Take requests off the queue, but for those whose sender gave up."""
        batch: list[Waiting] = []
        size = 0
        while self.waiting and size + len(self.waiting[0][0]) <= self.max_batch:
            images, answer = self.waiting.popleft()
            self.images -= len(images)
            if not answer.done():
                batch.append((images, answer))
                size += len(images)
        return batch

    def _expire(self) -> None:
        """Give up what waits for too long, and come back when the next one would."""
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
