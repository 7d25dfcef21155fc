"""A client that may break any rule of HTTP: it sends bytes as they are, and reads answers."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

PATIENCE = 30  # seconds until an answer is given up
JSON = "Content-Type: application/json"


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: The status; 0 if the connection was closed without an answer, -1 if there was
            nothing within the time.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        return json.loads(self.body)


def head(method: str, path: str, *lines: str) -> bytes:
    """Write the head of a request."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def predict(body: bytes, *lines: str) -> bytes:
    """Write a request to `/predict`."""
    return head("POST", "/predict", JSON, f"Content-Length: {len(body)}", *lines) + body


def form(body: bytes) -> bytes:
    """Write a request to `/predict/file` with a form as it is; `b` is its boundary."""
    kind = "Content-Type: multipart/form-data; boundary=b"
    return head("POST", "/predict/file", kind, f"Content-Length: {len(body)}") + body


def upload(content: bytes, name: str = "some", before: bytes = b"") -> bytes:
    """Write a request to `/predict/file` with a file, and other parts before it."""
    part = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return form(before + part.encode() + content + b"\r\n--b--\r\n")


def pieces(content: bytes, size: int = 1 << 20) -> Iterator[bytes]:
    """Cut bytes into pieces."""
    return (content[i : i + size] for i in range(0, len(content), size))


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """Read one answer; status 0 if there is none, or half of one."""
    try:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        headers = dict(line.lower().split(": ", 1) for line in lines)
        body = b""
        if headers.get("transfer-encoding") == "chunked":
            while size := int(await reader.readline(), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
        else:
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(first.split(" ")[1]), headers, body)
    except (OSError, asyncio.IncompleteReadError):
        return Answer(0)


class Connection:
    """A connection, which opens with the first request and stays open between them."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.writer: asyncio.StreamWriter | None = None

    async def send(self, *parts: bytes, pause: float = 0) -> None:
        """Send parts, and nothing more once the other side has closed."""
        with contextlib.suppress(OSError):
            if self.writer is None:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
            for part in parts:
                self.writer.write(part)
                await self.writer.drain()
                if pause:
                    await asyncio.sleep(pause)

    async def ask(self, *parts: bytes, pause: float = 0, patience: float = PATIENCE) -> Answer:
        """Send a request, and read the answer, which may come before everything is sent."""
        await self.send(b"")
        if self.writer is None:
            return Answer(0)
        sending = asyncio.create_task(self.send(*parts, pause=pause))
        try:
            answer = await asyncio.wait_for(read_answer(self.reader), patience)
        except TimeoutError:
            answer = Answer(-1)
        finally:
            sending.cancel()
        if answer.status <= 0 or answer.headers.get("connection") == "close":
            self.close()
        return answer

    def close(self, reset: bool = False) -> None:
        """Close; with `reset` as a client that crashed."""
        if self.writer:
            if reset:
                linger = socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                self.writer.get_extra_info("socket").setsockopt(*linger)
            self.writer.close()
        self.writer = None
