"""Several processes that answer on one port, and the one that looks after them."""

import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from typing import Any

from .settings import Settings

log = logging.getLogger(__name__)
spawning = multiprocessing.get_context("spawn")  # a fork would have none of the threads
PAUSE = 1  # seconds before a process that has ended is followed by another one
MARGIN = 5  # seconds beside those that a stopped process may take


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
        self.started = spawning.Event()
        self.processes: list[BaseProcess] = []
        self.stops = False

    def run(self) -> int:
        """Work until SIGTERM or Ctrl-C; SIGHUP is passed on.

        Returns:
            The exit code: 0, or that of a first process that could not start.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        signal.signal(signal.SIGHUP, self.reload)
        # The first one alone: what is wrong with the model is said once
        self.processes = [self.start()]
        while not self.started.wait(0.1) and not self.stops:
            if not self.processes[0].is_alive():
                return self.processes[0].exitcode or 1
        while not self.stops:
            while len(self.processes) < self.settings.workers:
                self.processes.append(self.start())
            wait([process.sentinel for process in self.processes], timeout=0.2)
            for process in [one for one in self.processes if not one.is_alive()]:
                self.processes.remove(process)
                if not self.stops:
                    fields = {"fields": {"pid": process.pid, "exit_code": process.exitcode}}
                    log.error("a process has ended, another one follows", extra=fields)
                    time.sleep(PAUSE)
        return self.join()

    def start(self) -> BaseProcess:
        """Start a process."""
        process = spawning.Process(target=self.work, args=(self.listener, self.started))
        process.start()
        return process

    def stop(self, *_: Any) -> None:
        """Note a signal to stop."""
        self.stops = True

    def reload(self, *_: Any) -> None:
        """Have all processes load the model again."""
        for process in self.processes:
            if process.is_alive() and process.pid:
                os.kill(process.pid, signal.SIGHUP)

    def join(self) -> int:
        """Let the processes answer what they have accepted; end those that do not stop.

        Returns:
            The exit code: 0 if all of them have stopped in time.
        """
        end = time.monotonic() + self.settings.drain + self.settings.grace + MARGIN
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.join(max(0, end - time.monotonic()))
            process.kill()
            process.join()
        return max((abs(process.exitcode or 0) for process in self.processes), default=0)
