"""A thread that works for the event loop: it runs calls that would hold up all other requests."""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from .request_log import SMALL

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Worker:
    """Runs calls one after another in a thread of its own.

    It is a daemon thread: a process ends although a call hangs. `ThreadPoolExecutor` would wait.

    Args:
        name: The name of the thread.
    """

    def __init__(self, name: str) -> None:
        self.calls: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def run(
        self,
        function: Callable[Arguments, Result],
        *arguments: Arguments.args,
        **options: Arguments.kwargs,
    ) -> asyncio.Future[Result]:
        """Call a function in the thread; a call whose future was cancelled before is left out."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        self.calls.put((loop, answer, function, arguments, options))
        return answer

    def _work(self) -> None:
        while True:
            loop, answer, function, arguments, options = self.calls.get()
            if answer.cancelled():
                continue
            result = problem = None
            try:
                result = function(*arguments, **options)
            except Exception as error:  # noqa: BLE001 - it is the answer
                problem = error
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, answer, result, problem)


class Readers:
    """Two threads that read bodies: small ones don't wait for large ones."""

    def __init__(self) -> None:
        self.small, self.large = Worker("reader"), Worker("large_reader")

    def run(
        self, read: Callable[..., Result], content: bytes | bytearray, *arguments: Any
    ) -> asyncio.Future[Result]:
        """Call a function that reads a body, after the other bodies of its kind."""
        worker = self.small if len(content) <= SMALL else self.large
        return worker.run(read, content, *arguments)


def _settle(answer: asyncio.Future[Any], result: Any, problem: Exception | None) -> None:
    if answer.done():  # its request has ended
        return
    if problem:
        answer.set_exception(problem)
    else:
        answer.set_result(result)
