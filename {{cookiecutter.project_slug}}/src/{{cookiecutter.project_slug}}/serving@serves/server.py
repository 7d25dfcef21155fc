"""Runs the application as a process: its settings, its log, its socket, and how it stops."""

import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import uvicorn
from pydantic_core import to_json
from starlette.types import ASGIApp

from .. import UserError
from .settings import read_settings

GRACE = 8  # seconds in which a stopped service finishes the requests that it has accepted


class JsonFormatter(logging.Formatter):
    """Writes a record, with the `fields` of its `extra`, as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return to_json(line).decode()


def log_json(level: str) -> None:
    """Write the records of all loggers to standard output, one line of JSON each.

    Args:
        level: The least severe level that is written, such as `INFO`.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler])


def run(load_app: Callable[[], ASGIApp]) -> None:
    """Serve until SIGTERM or Ctrl-C, finish the accepted requests, and exit with code 0.

    Args:
        load_app: Loads the model and makes the application around it.

    Raises:
        UserError: A setting, the model's file or the port can't be used.
        SystemExit: The service was stopped.
    """
    settings = read_settings()
    log_json(settings.log_level)
    app = load_app()
    try:
        listener = socket.create_server((settings.host, settings.port), backlog=2048)
    except OSError as error:
        raise UserError(f"{settings.host}:{settings.port}: {error.strerror}") from error
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    # Large requests start the garbage collector often: let it skip the objects that stay
    gc.freeze()
    gc.set_threshold(10_000)
    # When Uvicorn has stopped it raises the signal again; its default action skips `atexit`
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit())
    uvicorn.Server(config).run(sockets=[listener])


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
