"""Several processes that answer on one port, and the one that looks after them."""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from typing import Any

from .settings import Settings

log = logging.getLogger(__name__)
spawning = multiprocessing.get_context("spawn")  # a fork would have none of the threads
PAUSE = 1  # seconds before a process that has ended is followed by another one
MARGIN = 5  # seconds beside those that a stopped process may take


@dataclass(eq=False)
class Child:
    """A process.

    Attributes:
        process: It.
        started: Is set when it answers. Before, a signal would end it.
        reloads: Whether it has to load the model again.
    """

    process: BaseProcess
    started: Event
    reloads: bool = False


class Workers:
    """Starts processes, and follows each that ends by another one.

    Args:
        work: Answers on the socket in such a process, and sets the event when it has started.
        settings: How many there are, and the seconds that they have to stop.
        listener: The socket that all of them accept connections from.

    Attributes:
        stops: Whether the service was told to stop.
    """

    def __init__(
        self,
        work: Callable[[socket.socket, Event], None],
        settings: Settings,
        listener: socket.socket,
    ) -> None:
        self.work, self.settings, self.listener = work, settings, listener
        self.children: list[Child] = []
        self.stops = False

    def run(self) -> int:
        """Work until SIGTERM or Ctrl-C.

        Returns:
            The exit code: 0, or that of a first process that could not start.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        if not has_terminal():
            signal.signal(signal.SIGHUP, self.reload)
        # The first one alone: what is wrong with the model is said once
        first = self.start()
        while not first.started.wait(0.1) and not self.stops:
            if not first.process.is_alive():
                return first.process.exitcode or 1
        while not self.stops:
            while len(self.children) < self.settings.workers:
                self.start()
            wait([child.process.sentinel for child in self.children], timeout=0.2)
            self.look_after()
        return self.join()

    def start(self) -> Child:
        """Start a process."""
        started = spawning.Event()
        child = Child(spawning.Process(target=self.work, args=(self.listener, started)), started)
        child.process.start()
        self.children.append(child)
        return child

    def stop(self, *_: Any) -> None:
        """Note a signal to stop."""
        self.stops = True

    def reload(self, *_: Any) -> None:
        """Note a signal to load the model again."""
        for child in self.children:
            child.reloads = True

    def look_after(self) -> None:
        """Pass the signal on to processes that have started, and take those off that have ended."""
        for child in list(self.children):
            process = child.process
            if not process.is_alive():
                self.children.remove(child)
                if not self.stops:
                    fields = {"fields": {"pid": process.pid, "exit_code": process.exitcode}}
                    log.error("a process has ended, another one follows", extra=fields)
                    time.sleep(PAUSE)
            elif child.reloads and child.started.is_set():
                child.reloads = False
                os.kill(process.pid or 0, signal.SIGHUP)

    def join(self) -> int:
        """Let the processes answer what they have accepted; end those that do not stop.

        Returns:
            The exit code: 0 if all of them have stopped in time.
        """
        end = time.monotonic() + self.settings.drain + self.settings.grace + MARGIN
        processes = [child.process for child in self.children]
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(max(0, end - time.monotonic()))
            process.kill()
            process.join()
        return max((abs(process.exitcode or 0) for process in processes), default=0)


def has_terminal() -> bool:
    """Say whether a terminal has started the service: there, SIGHUP says that it was closed."""
    return sys.stdin is not None and sys.stdin.isatty()
