"""A log that can't be written, and requests that try to forge it."""

import os
import select

from attack.client import head, predict
from attack.rules import attack
from attack.service import Project, check


@attack(seconds=60, alone=True)
async def log_that_fails(project: Project) -> str:
    """The log's disk is full, or who read it is gone: requests are answered."""
    for kind in ("full", "gone"):
        reading, writing = os.pipe()
        full = os.open("/dev/full", os.O_WRONLY)
        with project.start(stdout=full if kind == "full" else writing) as service:
            os.close(writing)
            os.close(reading)
            os.close(full)
            await project.ask(service, 20)
            service.log()
            await service.stop()
    return "requests are answered"


@attack(seconds=60, alone=True)
async def log_that_nobody_reads(project: Project) -> str:
    """The log's pipe is full: requests are answered, and once it is read the log goes on."""
    reading, writing = os.pipe()
    with project.start(stdout=writing) as service:
        os.close(writing)
        await project.ask(service, 1500)
        while select.select([reading], [], [], 1)[0]:
            os.read(reading, 1 << 20)
        await project.ask(service, 3)
        check(select.select([reading], [], [], 2)[0], "the log has ended for ever")
        service.log()
        took = await service.stop()
    os.close(reading)
    return f"1,500 answers, ended after {took:.1f} s"


@attack(seconds=40, alone=True)
async def log_in_ascii(project: Project) -> str:
    """A path that the log's encoding lacks does not end the log."""
    with project.start(PYTHONIOENCODING="ascii") as service:
        for path in ("/%C3%BC", "/\N{SNOWMAN}", "/%ff", "/%00%0A%E2%80%A8", "/%ed%a0%80"):
            await service.send(head("GET", path))
        await project.ask(service, 3)
        lines = await service.requests()
    check(len(lines) == 3, f"{len(lines)} lines in the log for 3 requests")
    return "the log goes on"


@attack()
async def forged_ids(project: Project) -> str:
    """An `X-Request-ID` with quotes, controls or 5,000 letters is neither echoed nor logged."""
    project.service.log()
    forged = ['a"},{"level":"x', "a\tb", "\x1b[2J", "é", "a" * 5000, "", " ", "${jndi:x}", "a\x85b"]
    for text in forged:
        answer = await project.service.send(predict(project.samples.one, f"X-Request-ID: {text}"))
        check(answer.status in {200, 400}, f"{text[:20]!r}: answer {answer.status}")
        echoed = answer.headers.get("x-request-id", "")
        check(not text.strip() or text.lower() not in echoed, f"{text[:20]!r} is echoed")
    ids = {line["request_id"] for line in await project.service.requests()}
    check(not ids & set(forged), "a forged id is in the log")
    return f"{len(forged)} sent, {len(ids)} lines"
