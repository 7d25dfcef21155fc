"""Runs the application as a process: its settings, its socket, and how it stops."""

import asyncio
import atexit
import gc
import logging
import math
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing.synchronize import Event
from typing import Any

import uvicorn
from starlette.applications import Starlette

from .. import UserError
from ..datasets.inputs import InputSpec
from .access import read_keys
from .log import lines, log_json
from .request_log import LARGE_BODIES, SMALL
from .requests import largest_json, most_values
from .settings import Settings, read_settings
from .workers import Workers, has_terminal

log = logging.getLogger(__name__)

OTHER_FILES = 100  # that the process opens beside its connections


class Server(uvicorn.Server):
    """Uvicorn, with limits for each connection, and an end where the model can't answer.

    Args:
        app: The application. Its `state.health` is asked once a second for a problem, and its
            `state.current` loads another model after SIGHUP.
        settings: The limits of a connection, and the seconds that a stopped service goes on.
        started: Is set when it answers.

    Attributes:
        problem: Why the server has stopped itself; empty otherwise.
        owns_process: Whether it gets the signals of the process, and may end it where the model
            hangs.
    """

    def __init__(self, app: Starlette, settings: Settings, started: Event | None = None) -> None:
        self.app, self.on_start = app, started
        self.problem, self.owns_process = "", False
        super().__init__(
            uvicorn.Config(
                app,
                http=connection_type(settings),
                ws="none",
                log_config=None,
                access_log=False,
                proxy_headers=settings.proxies != "none",
                forwarded_allow_ips=settings.proxies,
                server_header=False,
                timeout_keep_alive=math.ceil(settings.idle_timeout),
                timeout_graceful_shutdown=math.ceil(settings.grace),
                h11_max_incomplete_event_size=settings.max_header,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, and to load another model when the process is told so."""
        await super().startup(sockets)
        if self.owns_process and sys.platform != "win32" and not has_terminal():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.reload)
        if self.on_start:
            self.on_start.set()

    def reload(self) -> None:
        """Load the model's file again; the log says how that went."""
        self.reloading = asyncio.create_task(self.app.state.current.reload())
        self.reloading.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def on_tick(self, counter: int) -> bool:
        """Close the connections that are late, and look after the model and the parent process."""
        if counter % 10 == 0:  # of ten a second
            for connection in list(self.server_state.connections):
                if hasattr(connection, "end_if_late"):
                    connection.end_if_late()
            self.problem = self.app.state.health.problem()
            parent = multiprocessing.parent_process()
            if self.owns_process and parent and not parent.is_alive():
                self.should_exit = True
        return await super().on_tick(counter) or bool(self.problem)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was accepted; before, say that the service is not ready any more."""
        self.app.state.health.leaves = True
        if not self.problem:
            await asyncio.sleep(self.app.state.health.settings.drain)
        await super().shutdown(sockets)
        if self.owns_process and self.app.state.health.busy_since is not None:
            self.end_process()

    def end_process(self) -> None:
        """End without waiting for the model, whose thread may hang for ever."""
        if self.problem:
            sys.stderr.write(f"Error: {self.problem}\n")
        atexit._run_exitfuncs()  # noqa: SLF001 - `os._exit` runs none
        os._exit(2 if self.problem else 0)


def connection_type(settings: Settings) -> Any:
    """Make the class of the connections, which knows their limits."""
    if sys.platform == "win32":  # there is no httptools: h11 limits the head of a request, too
        return "h11"
    from .connection import Connection

    return type("Connection", (Connection,), {"settings": settings})


def allow_connections(settings: Settings) -> None:
    """Let this process open as many files as it may have connections.

    Raises:
        UserError: The system does not allow so many.
    """
    if sys.platform == "win32":  # it has no such limit
        return
    import resource

    needed = settings.max_connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed or soft == resource.RLIM_INFINITY:
        return
    if needed > hard != resource.RLIM_INFINITY:
        raise UserError(
            f"SERVE_MAX_CONNECTIONS={settings.max_connections}: this system allows {hard} open "
            f"files; at most {hard - OTHER_FILES} of them can be connections"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def listen(host: str, port: int) -> socket.socket:
    """Make the socket that clients connect to.

    Args:
        host: An address or a name of this machine; `::` also takes connections of IPv4.
        port: TCP port; 0 takes any that is free.

    Raises:
        UserError: There is no such address here, or the port is taken or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, backlog=2048, dualstack_ipv6=both)
    except (OSError, TypeError, ValueError) as error:  # the last two: no name can be like this
        reason = str(getattr(error, "strerror", error)).partition(" (while")[0]
        raise UserError(f"SERVE_HOST={host!r}, SERVE_PORT={port}: {reason}") from error


LoadApp = Callable[[], Starlette]


def run(load_app: LoadApp) -> None:
    """Serve until SIGTERM or Ctrl-C, finish the accepted requests, and exit with code 0.

    Args:
        load_app: Loads the model and makes the application around it; a function of a module, as
            each process calls it.

    Raises:
        UserError: A setting, the model's file or the port can't be used, or the model can't answer.
        SystemExit: The service was stopped.
    """
    settings = read_settings()
    if settings.keys_file:
        read_keys(settings.keys_file)  # before the model, which takes longer
    if settings.workers == 1:
        answer(load_app, settings)
        return
    prepare(settings)
    listener = listen(settings.host, settings.port)
    raise SystemExit(Workers(partial(work, load_app, settings), settings, listener).run())


def work(load_app: LoadApp, settings: Settings, listener: socket.socket, started: Event) -> None:
    """Answer in one of several processes."""
    main(partial(answer, load_app, settings, listener, started))


def prepare(settings: Settings) -> None:
    """Set up the log and the limits of this process.

    Raises:
        UserError: The system does not allow so many connections.
    """
    log_json(settings.log_level)
    lines.start()
    allow_connections(settings)


def answer(
    load_app: LoadApp,
    settings: Settings,
    listener: socket.socket | None = None,
    started: Event | None = None,
) -> None:
    """Answer in this process.

    Args:
        load_app: Loads the model and makes the application around it.
        settings: The limits, and the address to listen on.
        listener: The socket to accept connections from; None makes one.
        started: Is set when the service answers.

    Raises:
        UserError: The model's file or the port can't be used, or the model can't answer.
        SystemExit: The process was stopped.
    """
    prepare(settings)
    app = load_app()
    bounds = most_of_all(app.state.current.predictor.input_spec, settings)
    log.debug("the most that requests can take", extra={"fields": bounds})
    server = Server(app, settings, started)
    server.owns_process = True
    listener = listener or listen(settings.host, settings.port)
    # Large requests start the garbage collector often: let it skip the objects that stay
    gc.freeze()
    gc.set_threshold(10_000)
    # When Uvicorn has stopped it raises the signal again; its default action skips `atexit`
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit())
    server.run(sockets=[listener])
    if server.problem:
        raise UserError(server.problem)


def most_of_all(spec: InputSpec, settings: Settings) -> dict[str, int]:
    """Compute what requests can take at most, from the model's inputs and the settings.

    Returns:
        Bytes of the largest JSON body that is read, and its values; bytes of all bodies in memory,
        and of all samples in the queue.
    """
    return {
        "json_bytes": min(settings.max_body, largest_json(spec, settings)),
        "json_values": most_values(spec, settings)[0],
        "bodies_bytes": LARGE_BODIES * settings.max_body + settings.max_connections * SMALL,
        "queue_bytes": settings.max_queue * spec.zeros(1).nbytes,
    }


def main(serve: Callable[[], None]) -> None:
    """Call `serve` where there is no command line; print an error of the user as one line.

    Raises:
        SystemExit: With code 2 after an error of the user.
    """
    try:
        serve()
    except UserError as error:
        sys.stderr.write(f"Error: {error}\n")
        raise SystemExit(2) from error
