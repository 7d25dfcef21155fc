"""Runs the BentoML service in this process, on the server that BentoML's own workers use."""

import logging
import os
import signal
import socket
import sys
from tempfile import TemporaryDirectory

import uvicorn

from .. import UserError
from .payloads import PACKAGE
from .settings import read_settings

GRACE = 8  # seconds that accepted requests have when the service is stopped


def serve() -> None:
    """Serve until SIGTERM or Ctrl-C, and answer then what was accepted.

    Raises:
        UserError: A setting can't be used.
    """
    settings = read_settings()
    logging.basicConfig(
        level=settings.log_level,
        stream=sys.stdout,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        # What BentoML would write to the home directory, and the counters behind /metrics
        os.environ["BENTOML_HOME"] = folder
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        from bentoml import server_context

        from .bento import load, service

        server_context.bento_name = PACKAGE  # a label of every metric
        load()
        try:
            listener = socket.create_server((settings.host, settings.port), backlog=2048)
        except OSError as error:
            raise UserError(f"{settings.host}:{settings.port}: {error.strerror}") from None
        config = uvicorn.Config(
            service.to_asgi(),
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
        # Uvicorn passes the signal on when it has stopped: the folder would stay behind
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: sys.exit())
        uvicorn.Server(config).run(sockets=[listener])


def main() -> None:
    """Serve; a mistake in the settings is one line and exit code 2."""
    try:
        serve()
    except UserError as error:
        sys.stderr.write(f"Error: {error}\n")
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
