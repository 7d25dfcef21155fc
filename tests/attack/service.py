"""A baked project, and its service as a process."""

import asyncio
import contextlib
import http.client
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from tools import free_port

from attack.client import PATIENCE, Answer, Connection, predict
from attack.samples import Samples, same
from attack.watch import cpu

ALLOWED = {503, 504}  # of the statuses from 500 on
SCRIPTS = Path(__file__).parent


class FaultError(Exception):
    """What an attack found."""


def check(holds: object, reason: str) -> None:
    """Raise a fault with the reason, unless something holds."""
    if not holds:
        raise FaultError(reason)


def counted(values: Iterable[Any]) -> str:
    """Say how often there is each value."""
    return ", ".join(f"{n} x {value}" for value, n in sorted(Counter(values).items()))


@dataclass
class Service:
    """A service that runs.

    Attributes:
        hold: The model waits as long as this file exists, if the service was started so.
    """

    process: subprocess.Popen[bytes]
    port: int
    out: IO[bytes]
    errors: IO[bytes]
    hold: Path
    watcher: subprocess.Popen[str] | None = None

    async def send(self, *parts: bytes, pause: float = 0, patience: float = PATIENCE) -> Answer:
        """Send a request on a connection of its own."""
        connection = Connection(self.port)
        answer = await connection.ask(*parts, pause=pause, patience=patience)
        connection.close()
        return answer

    async def together(self, *requests: bytes) -> list[Answer]:
        """Send requests at once, each on a connection of its own."""
        return await asyncio.gather(*map(self.send, requests))

    def get(self, path: str) -> Answer:
        """Ask for a document, and wait for it."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        client.request("GET", path)
        with contextlib.closing(client), client.getresponse() as answer:
            return Answer(answer.status, body=answer.read())

    @property
    def cpu(self) -> float:
        """CPU seconds that it has used."""
        return cpu(self.process.pid)

    def seen(self) -> dict[str, Any]:
        """Return what the watcher saw since the last call."""
        assert self.watcher and self.watcher.stdin and self.watcher.stdout  # noqa: PT018
        self.watcher.stdin.write("\n")
        self.watcher.stdin.flush()
        return dict(json.loads(self.watcher.stdout.readline()))

    def log(self) -> list[dict[str, Any]]:
        """Return the lines that it has logged since the last call.

        Raises:
            FaultError: One is no JSON object or holds a traceback or a wrong status, or there is
                something on standard error.
        """
        errors = self.errors.read().decode()
        check(not errors, f"standard error: {errors[:300]!r}")
        texts = self.out.read().splitlines()
        for text in texts:
            check(
                text.startswith(b"{") and text.endswith(b"}"), f"no JSON in the log: {text!r:.300}"
            )
        lines: list[dict[str, Any]] = [json.loads(text) for text in texts]
        for line in lines:
            reason = str(line.get("exception", "")).strip().rpartition("\n")[2]
            check("Traceback" not in str(line), f"a traceback in the log: {reason:.100}")
            status = line.get("status", 0)
            check(status < 500 or status in ALLOWED, f"status {status} in the log")
        return lines

    async def requests(self) -> list[dict[str, Any]]:
        """Return the log's lines of predictions, after a moment in which they are written."""
        await asyncio.sleep(0.5)
        return [line for line in self.log() if str(line.get("path")).startswith("/predict")]

    async def stop(self, number: int = signal.SIGTERM, patience: float = 20) -> float:
        """Send a signal, and return the seconds until it has ended with code 0."""
        start = time.monotonic()
        self.process.send_signal(number)
        try:
            code = await asyncio.to_thread(self.process.wait, patience)
        except subprocess.TimeoutExpired:
            raise FaultError(f"it still runs {patience:g} s after signal {number}") from None
        check(code == 0, f"exit code {code} after signal {number}")
        return time.monotonic() - start

    def end(self) -> None:
        """End the processes, whatever they do."""
        for process in (self.process, self.watcher):
            if process:
                process.kill()
                process.wait()


@dataclass
class Project:
    """A baked project with a model.

    Attributes:
        folder: Where it lies.
        samples: What can be asked; there once the first service has answered.
        expected: The answer to the example.
        service: The one that most attacks share.
    """

    folder: Path
    samples: Samples = field(init=False)
    expected: Any = None
    service: Service = field(init=False)

    @property
    def package(self) -> str:
        (found,) = (self.folder / "src").glob("*/serving")
        return found.parent.name

    def command(self, *command: Any, **streams: Any) -> subprocess.Popen[bytes]:
        """Start Python with these arguments and the project's package."""
        own = {"PYTHONPATH": str(self.folder / "src"), "OMP_NUM_THREADS": "1"}
        own["PYTHONUNBUFFERED"] = ""  # else a log that fails is gone before the process ends
        environment = os.environ | own | streams.pop("environment", {})
        arguments = [sys.executable, *map(str, command)]
        return subprocess.Popen(arguments, cwd=self.folder, env=environment, **streams)

    @contextlib.contextmanager
    def start(
        self, stdout: Any = None, watched: bool = False, held: bool = False, **environment: Any
    ) -> Iterator[Service]:
        """Start a service, and end it when the block ends.

        Args:
            stdout: Where its log goes; without it, where `log` reads it.
            watched: Whether `seen` is asked for.
            held: Whether `hold` works.
            environment: Its settings.
        """
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            hold, out, errors = (folder / name for name in ("hold", "out", "errors"))
            port = free_port()
            settings = {"SERVE_PORT": port} | environment
            script = (SCRIPTS / "held.py", self.package, hold)
            process = self.command(
                *(script if held else ("-m", self.package, "serve")),
                stdout=stack.enter_context(out.open("wb")) if stdout is None else stdout,
                stderr=stack.enter_context(errors.open("wb")),
                environment={name: str(value) for name, value in settings.items()},
            )
            out.touch()
            log, problems = (stack.enter_context(path.open("rb")) for path in (out, errors))
            service = Service(process, port, log, problems, hold)
            stack.callback(service.end)
            self.wait_ready(service)
            resource.prlimit(process.pid, resource.RLIMIT_AS, (6 << 30, 6 << 30))
            if watched:
                pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
                watch = SCRIPTS / "watch.py"
                watcher: Any = self.command(watch, process.pid, port, text=True, **pipe)
                service.watcher = watcher
            yield service

    def wait_ready(self, service: Service, patience: float = 60) -> None:
        """Wait until a service is ready."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            check(service.process.poll() is None, f"ended: {service.errors.read().decode()[-300:]}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if service.get("/readyz").status == 200:
                    return
            time.sleep(0.1)
        raise FaultError(f"not ready after {patience:g} s")

    async def ask(self, service: Service, count: int = 1) -> None:
        """Check that a service answers the example rightly, `count` times."""
        for number in range(count):
            answer = await service.send(predict(self.samples.one))
            check(answer.status == 200, f"ordinary request {number + 1}: answer {answer.status}")
            check(same(answer.json(), self.expected), "an ordinary request gets a wrong answer")
