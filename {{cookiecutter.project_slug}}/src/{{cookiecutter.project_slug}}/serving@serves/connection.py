"""What one connection to the service may take: bytes, and time."""

import asyncio
import logging
import math
from collections import deque
from typing import ClassVar

from pydantic_core import to_json
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from .settings import Settings

log = logging.getLogger(__name__)

MOST_UNANSWERED = 100  # requests that a client may send before it has their answers


class Connection(HttpToolsProtocol):
    """Uvicorn's connection, which ends when a client sends too much or takes too long.

    Uvicorn limits neither the head of a request, nor what a client sends around the chunks of a
    body, nor how many requests it sends at once, nor the time to send a request or to take an
    answer. The application limits the body.

    An application may put a future into `scope["answer"]`. It is cancelled when the client leaves,
    and `scope["left"]` is true then.
    """

    # Of all connections
    settings: Settings
    logged: ClassVar[dict[int, float]] = {}  # when a status was logged last, at most once a second

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse a connection if there are too many."""
        super().connection_made(transport)
        self.sent = self.payload = 0  # bytes since the start of the request
        self.reads_head, self.is_refused = True, False
        self.unanswered: deque[RequestResponseCycle] = deque()
        self.receives_since = self.loop.time()
        self.stalls_since = math.inf
        if len(self.connections) > self.settings.max_connections:
            self.refuse(503, "too many connections")

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the answers, which nobody waits for any more."""
        super().connection_lost(exc)
        for cycle in self.unanswered:  # Uvicorn itself tells only the last one
            cycle.disconnected = True
            cycle.scope["left"] = True  # type: ignore[typeddict-unknown-key]
            cycle.message_event.set()
            if "answer" in cycle.scope:
                cycle.scope["answer"].cancel()  # type: ignore[typeddict-item]

    def data_received(self, data: bytes) -> None:
        """Parse the bytes that arrived, unless there are too many."""
        if self.is_refused:
            return
        if self.receives_since == math.inf and (self.cycle is None or self.cycle.response_complete):
            self.receives_since = self.loop.time()
        self.sent += len(data)
        super().data_received(data)
        if self.reads_head:
            if self.sent > self.settings.max_header:
                self.refuse(431, f"the head is larger than {self.settings.max_header} bytes")
        elif self.payload > 2 * self.settings.max_body:
            self.refuse(413, f"the body is larger than {self.settings.max_body} bytes")
        elif self.sent > 8 * self.payload + 2 * self.settings.max_header:  # a chunk of 1 takes 6
            self.refuse(400, "too many bytes around the body")

    def on_message_begin(self) -> None:
        """Start to count for the next request."""
        super().on_message_begin()
        self.sent = self.payload = 0
        self.reads_head = True
        self.receives_since = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, but no trailer: nobody reads them."""
        if self.reads_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Call the application, or refuse a large head that arrived in one piece."""
        self.reads_head = False
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self.settings.max_header:
            self.refuse(431, f"the head is larger than {self.settings.max_header} bytes")
        elif len(self.unanswered) == MOST_UNANSWERED:
            self.refuse(429, f"more than {MOST_UNANSWERED} requests wait for their answers")
        if not self.is_refused:
            super().on_headers_complete()
            self.unanswered.append(self.cycle)

    def on_body(self, body: bytes) -> None:
        """Give the application a part of the body."""
        self.payload += len(body)
        if not self.is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Tell the application that the request is complete."""
        self.receives_since = math.inf
        if not self.is_refused:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on to the next request, or wait for one."""
        self.unanswered.popleft()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Note that the client does not take its answer."""
        super().pause_writing()
        self.stalls_since = self.loop.time()

    def resume_writing(self) -> None:
        """Note that the client takes its answer."""
        super().resume_writing()
        self.stalls_since = math.inf

    def end_if_late(self) -> None:
        """Close the connection if its client has taken too long; called every second."""
        now = self.loop.time()
        latest = now - self.settings.read_timeout
        if self.transport.is_closing():  # but its last bytes may still wait to be taken
            self.stalls_since = min(self.stalls_since, now)
        if self.stalls_since < latest:
            log.warning("a client did not take its answer", extra={"fields": self.named()})
            self.transport.abort()
        elif self.receives_since < latest:
            self.refuse(408, f"the request took longer than {self.settings.read_timeout:g} s")

    def refuse(self, status: int, reason: str) -> None:
        """Close the connection, and say why where no answer has begun.

        Requests that were complete before are answered first: then the last of these answers closes
        the connection.
        """
        if self.is_refused or self.transport.is_closing():
            return
        self.is_refused = True
        accepted = [cycle for cycle in self.unanswered if not cycle.more_body]
        if accepted:
            accepted[-1].keep_alive = False
        else:
            if not self.unanswered or not self.unanswered[0].response_started:
                body = to_json({"detail": reason})
                self.transport.write(
                    STATUS_LINE[status] + b"content-type: application/json\r\nconnection: close\r\n"
                    b"content-length: %d\r\n\r\n%b" % (len(body), body)
                )
            self.transport.close()
        if self.loop.time() - self.logged.get(status, -math.inf) > 1:
            self.logged[status] = self.loop.time()
            log.warning("refused: %s", reason, extra={"fields": {"status": status, **self.named()}})

    def send_400_response(self, msg: str) -> None:
        """Refuse bytes that are no HTTP."""
        self.refuse(400, msg)

    def named(self) -> dict[str, str]:
        """Name the client for the log."""
        return {"client": self.client[0] if self.client else ""}
