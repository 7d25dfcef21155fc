"""More load than the service can carry, and unequal clients."""

import asyncio
import contextlib
import json
import statistics
import time
from collections import Counter

from attack.client import Connection, predict
from attack.rules import attack
from attack.samples import same
from attack.service import Project, Service, check

GOODPUT = 0.7  # of 1,000 connections, beside that of 32
DIFFERENT = 64  # samples


class Load:
    """Many clients which ask the next thing as soon as they have an answer."""

    def __init__(self, service: Service, requests: list[bytes]) -> None:
        self.service, self.requests = service, requests
        self.statuses: Counter[int] = Counter()
        self.answers: list[tuple[int, bytes]] = []

    async def client(self, number: int) -> None:
        """Ask until cancelled; some services close after a refusal: then it comes back at once."""
        loop, port = asyncio.get_running_loop(), self.service.port
        while True:
            one = Client(self, number)
            with contextlib.suppress(OSError):
                transport, _ = await loop.create_connection(lambda: one, "127.0.0.1", port)  # noqa: B023
                try:
                    await one.closed.wait()
                finally:
                    transport.abort()

    async def goodput(self, connections: int, seconds: float) -> float:
        """Return the answers 200 for each CPU second of the service."""
        clients = [asyncio.create_task(self.client(n % DIFFERENT)) for n in range(connections)]
        start, end = self.service.cpu, time.monotonic() + seconds
        # Where a request takes long, until each connection has got some answers
        while time.monotonic() < end or (
            self.statuses.total() < 3 * connections and time.monotonic() < end + 3 * seconds
        ):
            await asyncio.sleep(0.1)
        rate = self.statuses[200] / (self.service.cpu - start)
        for client in clients:
            client.cancel()
        await asyncio.sleep(2)
        return rate


class Client(asyncio.Protocol):
    """A client of a load, without the cost of streams: it has to be faster than the service."""

    def __init__(self, load: Load, number: int) -> None:
        self.load, self.number, self.buffer, self.closed = load, number, b"", asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.load.requests[self.number])

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
        if not end or len(body) < int(length):
            return
        status = int(head[9:12])
        self.load.statuses[status] += 1
        if status == 200:
            self.load.answers.append((self.number, body))
        self.buffer = b""
        self.transport.write(self.load.requests[self.number])

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set()


@attack(seconds=90, memory=300, held=1000)
async def overload(project: Project) -> str:
    """1,000 connections that retry at once leave the goodput of 32, and each answer is its own."""
    service, samples = project.service, project.samples
    requests = [predict(samples.body(samples.draw(number))) for number in range(DIFFERENT)]
    single = [(await service.send(request)).json() for request in requests]
    said = ""
    for _ in range(3):  # other processes on this machine slow down each answer, too
        rates = []
        for connections in (32, 1000):
            load = Load(service, requests)
            rates.append(await load.goodput(connections, 4))
            wrong = sum(not same(json.loads(body), single[n]) for n, body in load.answers)
            check(not wrong, f"{wrong} of {len(load.answers)} answers are another's")
            check(set(load.statuses) <= {200, 503}, f"answers {dict(load.statuses)}")
        said = f"goodput {rates[1] / rates[0]:.2f}: {rates[0]:,.0f} and {rates[1]:,.0f} answers a "
        said += f"CPU second, {load.statuses[503]:,} x 503"
        if rates[1] >= GOODPUT * rates[0]:
            return said
    check(False, said)
    return said


@attack(seconds=60, memory=300, held=1000)
async def fairness(project: Project) -> str:
    """Twenty-four clients that send the largest batches don't starve four with one sample."""
    service, samples = project.service, project.samples
    large, one = predict(samples.largest()), predict(samples.one)
    times: dict[bytes, list[float]] = {large: [], one: []}
    refused: Counter[bytes] = Counter()
    end = time.monotonic() + 8

    async def client(request: bytes) -> None:
        connection = Connection(service.port)
        while (start := time.monotonic()) < end:
            answer = await connection.ask(request)
            if answer.status == 200:
                times[request].append(time.monotonic() - start)
                right = request == large or same(answer.json(), project.expected)
                check(right, "a wrong answer")
            else:
                refused[request] += 1
                await asyncio.sleep(0.02)
        connection.close()

    await asyncio.gather(*(client(request) for request in [large] * 24 + [one] * 4))
    check(times[one], "no request with one sample was answered")
    ratio = statistics.median(times[one]) / statistics.median(times[large] or [0.001])
    said = f"{len(times[one])} small ones answered, {refused[one]} refused; large ones "
    said += f"{len(times[large])} and {refused[large]}; a small one takes {ratio:.2f} of a large"
    check(refused[one] <= 0.02 * len(times[one]) and ratio < 1, said)
    return said
