"""Around every request: an id, limits on bodies, and one line of JSON in the log."""

import asyncio
import itertools
import logging
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .log import lines

log = logging.getLogger(__name__)

KNOWN_ID = re.compile(rb"[\w.-]{1,64}")
CLIENT_HAS_LEFT = 499  # stands in the log only, as nobody takes an answer
CLOSE = {"Connection": "close"}
FAST = 20_000  # bytes of JSON that take less than a millisecond to read
SMALL = 65_536  # bytes of a body that is always received
LARGE_BODIES = 8  # of the largest size that are in memory together


class Refused(BaseException):
    """There is no prediction for a request.

    It is no `Exception`: frameworks would log one with its traceback, or answer it themselves.

    Args:
        status: HTTP status of the answer.
        detail: The reason.
        headers: Headers of the answer.
    """

    def __init__(self, status: int, detail: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail)
        self.status, self.detail, self.headers = status, detail, headers


class Bodies:
    """The bodies of all requests that are in memory.

    Args:
        largest: Bytes of the largest one.

    Attributes:
        held: Bytes of all of them.
    """

    def __init__(self, largest: int) -> None:
        self.largest, self.most = largest, LARGE_BODIES * largest
        self.held = 0


class Exchange:
    """A request and its answer, while they pass.

    Args:
        bodies: Counts the bytes in memory.
        scope: The request.
        receive: Receives its body.
        send: Sends the answer.
        request_id: Its id.

    Attributes:
        status: Status of the answer; 0 before it has begun.
        has_left: Whether the client has left before it had an answer.
    """

    def __init__(
        self, bodies: Bodies, scope: Scope, receive: Receive, send: Send, request_id: bytes
    ) -> None:
        self.bodies, self.scope, self.request_id = bodies, scope, request_id
        self._receive, self._send = receive, send
        self.start = time.perf_counter()
        self.status = self.read = 0
        self.has_left = False

    async def receive(self) -> Message:
        """Receive a part of the body, unless there were too many bytes."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.has_left = not self.status
        size = len(message.get("body", b""))
        self.read += size
        self.bodies.held += size
        if self.read > self.bodies.largest:
            raise Refused(413, f"the body is larger than {self.bodies.largest} bytes", CLOSE)
        if self.bodies.held > self.bodies.most and self.read > SMALL:
            raise Refused(503, "too many large bodies", CLOSE | {"Retry-After": "1"})
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer, with the request's id."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], (b"x-request-id", self.request_id)]
        await self._send(message)

    async def refuse(self, error: BaseException) -> None:
        """Answer with an error, unless an answer has begun."""
        if isinstance(error, asyncio.CancelledError):
            # By `Connection`, as the client has left, or by the server, as its grace has passed
            self.has_left = self.scope.get("left", False)
            error = Refused(503, "the service stops")
        elif isinstance(error, HTTPException):
            error = Refused(error.status_code, error.detail, error.headers)
        elif not isinstance(error, Refused):
            if self.has_left:  # reading its request has failed
                return
            fields = {"request_id": self.request_id}
            log.error("unhandled error", exc_info=error, extra={"fields": fields})
            error = Refused(500, "internal error")
        if not self.status:
            reason = {reason_key(self.scope): error.detail}
            answer = JSONResponse(reason, error.status, error.headers)
            await answer(self.scope, self.receive, self.send)

    def log(self) -> None:
        """Write the line of the request."""
        client = self.scope.get("client")
        lines.write(
            level="INFO",
            message="request",
            request_id=self.request_id,
            client=client[0] if client else "",
            method=self.scope["method"],
            path=self.scope["path"],
            status=CLIENT_HAS_LEFT if self.has_left else self.status,
            ms=round((time.perf_counter() - self.start) * 1000, 2),
            **self.scope.get("log", {}),
        )


class RequestLog:
    """Gives each request an id, in the answer's `X-Request-ID` and in the request's log line.

    A body that is too large is answered with 413, an exception that no handler caught with 500.

    Args:
        app: The application that handles the requests. What it puts into `scope["log"]` stands in
            the log.
        max_body: Bytes of the largest body.
    """

    def __init__(self, app: ASGIApp, max_body: int) -> None:
        self.app, self.bodies = app, Bodies(max_body)
        start = uuid.uuid4().hex[:12]
        self.ids = (f"{start}-{number}".encode() for number in itertools.count(1))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = dict(scope["headers"]).get(b"x-request-id", b"")
        if not KNOWN_ID.fullmatch(request_id):
            request_id = next(self.ids)
        exchange = Exchange(self.bodies, scope, receive, send, request_id)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except (Exception, Refused, asyncio.CancelledError) as error:  # noqa: BLE001 - each has its answer
            await exchange.refuse(error)
        finally:
            self.bodies.held -= exchange.read
            if log.isEnabledFor(logging.INFO):
                exchange.log()


def reason_key(scope: Scope) -> str:
    """Return what the reason of a refusal is called: the Open Inference Protocol has its own."""
    return "error" if scope["path"].startswith("/v2") else "detail"


def media_type(request: Request) -> str:
    """Return the media type of a request's body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(request: Request, most: int) -> bytearray:
    """Read a body, unless it is too large.

    Raises:
        Refused: It has more than `most` bytes, or says so, or its client leaves.
    """
    body = bytearray()
    if int(request.headers.get("content-length", 0)) <= most:
        try:
            async for part in request.stream():
                body += part
                if len(body) > most:
                    break
            else:
                return body
        except ClientDisconnect as error:
            raise Refused(CLIENT_HAS_LEFT, "the client has left") from error
    raise Refused(413, f"the body is larger than {most} bytes", CLOSE)


async def read_upload(request: Request) -> bytes:
    """Read the file of a form.

    Raises:
        Refused: The body is no such form, has no file in the field `file`, or its client leaves.
    """
    try:
        async with request.form(max_files=1, max_fields=1) as form:
            upload = form.get("file")
            if isinstance(upload, UploadFile):
                return await upload.read()
    except HTTPException as error:
        raise Refused(error.status_code, error.detail) from error
    except ClientDisconnect as error:
        raise Refused(CLIENT_HAS_LEFT, "the client has left") from error
    raise Refused(422, [{"type": "missing", "loc": ["file"], "msg": "Upload required"}])
