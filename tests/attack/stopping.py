"""Signals while there is work, and a model that hangs: nothing that was accepted is lost."""

import asyncio
import signal
import time
from collections import Counter
from typing import Any

from attack.client import Answer, Connection, predict
from attack.rules import attack
from attack.service import Project, Service, check, counted

LIMIT = 2  # seconds until a request without an answer gets 504
GRACE = 3  # seconds in which a stopped service finishes
QUEUE = 64  # samples


@attack(seconds=60, alone=True)
async def signals_under_load(project: Project) -> str:
    """What was sent before the signal is answered; clients and log count the same; exit code 0."""
    return "; ".join([await stopped(project, n) for n in (signal.SIGTERM, signal.SIGINT)])


async def stopped(project: Project, number: int) -> str:
    """Stop a service with a signal while sixteen clients ask, and judge what they got."""
    requests = [predict(project.samples.largest()), predict(project.samples.one)]
    statuses, lost, signalled = Counter[int](), 0, float("inf")

    async def client(port: int, request: bytes) -> None:
        nonlocal lost
        connection = Connection(port)
        while time.monotonic() < signalled + GRACE:
            start = time.monotonic()
            answer = await connection.ask(request)
            if answer.status > 0:
                statuses[answer.status] += 1
            else:
                lost += start < signalled
                await asyncio.sleep(0.05)

    with project.start() as service:
        asking = asyncio.gather(*(client(service.port, requests[n % 4 > 0]) for n in range(16)))
        await asyncio.sleep(2)
        signalled = time.monotonic()
        took = await service.stop(number)
        await asking
        lines = await service.requests()
    said = f"ended after {took:.1f} s, answers {counted(statuses.elements())}"
    logged = counted(line["status"] for line in lines)
    check(not lost, f"{said}; {lost} requests lost")
    check(logged == counted(statuses.elements()), f"{said}; in the log {logged}")
    check(set(statuses) <= {200, 503}, said)
    return said


@attack(seconds=60, alone=True)
async def signal_with_slow_clients(project: Project) -> str:
    """Idle connections, half a head or body, and pipelines don't keep a service from ending."""
    request = predict(project.samples.one)
    with project.start() as service:
        parts = [b"", request[:30], request[:-5], request * 2] * 10
        connections = [Connection(service.port) for _ in parts]
        for connection, part in zip(connections, parts, strict=True):
            await connection.send(part)
        await asyncio.sleep(0.5)
        took = await service.stop()
        service.log()
    return f"ended after {took:.1f} s"


async def ask_later(project: Project, service: Service, seconds: float) -> Answer:
    """Ask after a while: what comes all at once may be refused before the queue."""
    await asyncio.sleep(seconds)
    return await service.send(predict(project.samples.one))


@attack(seconds=60, alone=True)
async def hung_model(project: Project) -> str:
    """A model that hangs: 504 in time, 503 beyond the queue, not ready; then the process ends."""
    settings: Any = {"SERVE_TIMEOUT": LIMIT, "SERVE_GRACE": GRACE, "SERVE_MAX_QUEUE": QUEUE}
    said = []
    for ended_by in ("SIGTERM", "itself"):
        with project.start(held=True, **settings) as service:
            service.hold.touch()
            start = time.monotonic()
            answers = await asyncio.gather(
                *(ask_later(project, service, 0.003 * n) for n in range(3 * QUEUE))
            )
            took = time.monotonic() - start
            said.append(counted(answer.status for answer in answers))
            check(took < 2 * LIMIT + 1, f"{said[-1]} after {took:.1f} s")
            refused = [answer for answer in answers if answer.status == 503]
            enough = len(refused) >= QUEUE and {a.status for a in answers} == {503, 504}
            check(enough, f"{said[-1]} with a queue of {QUEUE}")
            check(all("retry-after" in answer.headers for answer in refused), "no Retry-After")
            check(service.get("/livez").status == 200, "/livez does not answer")
            while service.get("/readyz").status == 200:
                check(time.monotonic() < start + 2 * LIMIT + 1, "/readyz says 200")
                await asyncio.sleep(0.1)
            if ended_by == "SIGTERM":
                took = await service.stop(patience=GRACE + 3)
                service.log()
            else:
                code = await asyncio.to_thread(service.process.wait, 10 * LIMIT)
                check(code == 2, f"exit code {code}")
                errors = service.errors.read().decode()
                check(errors.count("\n") == 1, f"standard error: {errors[:300]!r}")
    return "; ".join(said)
