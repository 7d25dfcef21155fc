"""Around every request: an id, a limit on its body, and one line of JSON in the log."""

import asyncio
import itertools
import logging
import re
import sys
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from pydantic_core import to_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .body_limit import limit_body

log = logging.getLogger(__name__)

KNOWN_ID = re.compile(rb"[\w.-]{1,64}")


class RequestLog:
    """Gives each request an id, in the answer's `X-Request-ID` and in the request's log line.

    A body that is too large is answered with 413, an exception that no handler caught with 500.

    Args:
        app: The application that handles the requests.
        max_body: Bytes of the largest body.
    """

    def __init__(self, app: ASGIApp, max_body: int) -> None:
        self.app, self.max_body = app, max_body
        start = uuid.uuid4().hex[:12]
        self.ids = (f"{start}-{number}".encode() for number in itertools.count(1))
        self.lines: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        request_id = dict(scope["headers"]).get(b"x-request-id", b"")
        if not KNOWN_ID.fullmatch(request_id):
            request_id = next(self.ids)
        status = 0

        async def tagged(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", request_id))
            await send(message)

        try:
            await self.app(scope, limit_body(receive, self.max_body, HTTPException), tagged)
        except Exception:
            log.exception("unhandled error", extra={"fields": {"request_id": request_id}})
            if not status:
                await JSONResponse({"detail": "internal error"}, 500)(scope, receive, tagged)
        finally:
            self.write(
                request_id=request_id,
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round((time.perf_counter() - start) * 1000, 2),
            )

    def write(self, **fields: Any) -> None:
        """Log one line; the lines of one turn of the event loop are written together.

        One `logging` call costs as much as the rest of the request.
        """
        if not log.isEnabledFor(logging.INFO):
            return
        if not self.lines:
            asyncio.get_running_loop().call_soon(self.flush)
        now = datetime.now(UTC)
        self.lines.append(to_json({"time": now, "level": "INFO", "message": "request", **fields}))

    def flush(self) -> None:
        """Write the lines that wait."""
        sys.stdout.write(b"\n".join([*self.lines, b""]).decode())
        sys.stdout.flush()
        self.lines.clear()
