"""Clients that are slow, leave, never read, or come in great numbers."""

import asyncio
import time

from attack.client import Connection, head, pieces, predict
from attack.rules import attack
from attack.service import Project, check, counted

SLOWEST = 25  # seconds in which a service ends a request that does not arrive


@attack(seconds=SLOWEST + 5)
async def slow_requests(project: Project) -> str:
    """Heads and bodies that come a byte at a time, stop, or never start are ended in time."""
    request = predict(project.samples.one)
    at = request.index(b"\r\n\r\n") + 4
    kinds = {
        "a slow head": [*pieces(request[: at - 2] + b"X-A: " + b"a" * 99, 1)],
        "a slow body": [request[:at], *pieces(request[at : at + 99], 1)],
        "half a head": [request[:40]],
        "half a body": [request[: at + 9]],
        "nothing": [b""],
        "line ends": [b"\r\n"] * 99,
    }

    async def ended(parts: list[bytes]) -> float:
        start = time.monotonic()
        await project.service.send(*parts, pause=0.4, patience=SLOWEST)
        return time.monotonic() - start

    times = await asyncio.gather(*map(ended, kinds.values()))
    still = [kind for kind, took in zip(kinds, times, strict=True) if took >= SLOWEST]
    check(not still, f"still open after {SLOWEST} s: {', '.join(still)}")
    return f"ended after {min(times):.0f} to {max(times):.0f} s"


@attack(seconds=30)
async def client_that_never_reads(project: Project) -> str:
    """Thousands of requests whose answers nobody takes fill no memory."""
    connection = Connection(project.service.port)
    sending = asyncio.create_task(connection.send(*[head("GET", "/openapi.json") * 90] * 99))
    await asyncio.sleep(3)
    await project.ask(project.service)
    sending.cancel()
    connection.close(reset=True)
    return "others are answered"


@attack(seconds=60, alone=True)
async def idle_connections(project: Project) -> str:
    """1,100 idle connections: others get in before long, and the log tells of it."""
    with project.start() as service:
        service.log()
        idle = [Connection(service.port) for _ in range(1100)]
        await asyncio.gather(*(connection.send(b"") for connection in idle))
        start = time.monotonic()
        while (await service.send(predict(project.samples.one), patience=2)).status != 200:
            check(time.monotonic() - start < SLOWEST, f"no answer for {SLOWEST} s")
            await asyncio.sleep(0.5)
        took = time.monotonic() - start
        for connection in idle:
            connection.close()
        lines = service.log()
        told = sum(line.get("level") == "WARNING" for line in lines)
        check(0 < told < 100, f"{told} warnings in the log")
        return f"an answer after {took:.0f} s, {told} warnings"


@attack(seconds=40, alone=True)
async def clients_that_leave(project: Project) -> str:
    """Those who leave before their answer are 499 in the log, and cost nothing any more."""
    with project.start(held=True, SERVE_TIMEOUT=8) as service:
        await project.ask(service, 5)
        requests = [predict(project.samples.one)[: -(n % 2) or None] for n in range(200)]
        await service.requests()
        service.hold.touch()
        clients = [Connection(service.port) for _ in requests]
        await asyncio.gather(*(c.send(r) for c, r in zip(clients, requests, strict=True)))
        await asyncio.sleep(1)
        for number, connection in enumerate(clients):
            connection.close(reset=number % 4 < 2)
        lines = await service.requests()
        said = counted([line["status"] for line in lines])
        service.hold.unlink()
        # The model has one of them, or a batch
        check(said in {"200 x 499", "199 x 499"}, f"in the log {said}")
        await project.ask(service, 3)
        await service.stop()
        service.log()
    return f"in the log {said}"
