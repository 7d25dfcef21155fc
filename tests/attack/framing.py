"""Requests that break the rules of HTTP, or have no end."""

import asyncio
import random

from attack.client import JSON, Connection, head, pieces, predict
from attack.rules import attack, refused
from attack.samples import same
from attack.service import Project, check, counted

CHUNKED = "Transfer-Encoding: chunked"
ENDLESS = 50_000_000  # bytes: a service that keeps half of them is found by its memory


@attack(memory=25)
async def endless_heads(project: Project) -> str:
    """Lines, headers, trailers and extensions of chunks that never end are refused."""
    start, post = b"GET /livez HTTP/1.1\r\nHost: a\r\n", head("POST", "/predict", JSON, CHUNKED)
    whole = post + b"%x\r\n%s\r\n0\r\n" % (len(project.samples.one), project.samples.one)
    giant, line = b"a" * ENDLESS, b"X-Some: abcdefgh\r\n"
    said = []
    for begin, rest in (
        (start + b"X-A: ", giant),
        (start, line * (ENDLESS // len(line))),
        (start, b"a: \r\n" * (ENDLESS // 5)),
        (b"GET /", giant),
        (b"", giant),
        (b"", b"\r\n" * (ENDLESS // 2)),
        (whole, line * (ENDLESS // len(line))),
        (post + b"1;", giant),
        (post, b"1;a=bcdefghijklmnopqrstuvwxyz\r\na\r\n" * 1_000_000),
    ):
        said.append(refused(await project.service.send(begin, *pieces(rest))))
    return counted(said)


@attack()
async def wrong_lengths(project: Project) -> str:
    """Lengths that are none, two, too small or no number, and codings beside them, are refused."""
    body, hidden = project.samples.one, b"0\r\n\r\n" + head("GET", "/model")
    size, said = f"Content-Length: {len(body)}", []
    cases = [["Content-Length: " + wrong] for wrong in ("-1", "9" * 30, "1e3", "+9", "0x9", "1, 2")]
    cases += [[size, f"Content-Length: {len(body) + 1}"], [f"Content-Length: {len(body) - 1}"], []]
    requests = [head("POST", "/predict", JSON, *lines) + body for lines in cases]
    for coding in (
        "chunked",
        "Chunked",
        "identity, chunked",
        "chunked, a",
        "xchunked",
        "\tchunked",
    ):
        lines = [f"Content-Length: {len(hidden)}", f"Transfer-Encoding: {coding}"]
        requests.append(head("POST", "/predict", JSON, *lines) + hidden)
    for request in requests:
        answer = await project.service.send(request)
        check(b"version" not in answer.body, "a request inside of a body is answered")
        said.append(refused(answer))
    return counted(said)


@attack()
async def odd_chunks(project: Project) -> str:
    """A body in chunks of one byte, with extensions, is read; a size that is none is refused."""
    start, body = head("POST", "/predict", JSON, CHUNKED), project.samples.one
    small = body[:9000]
    chunks = b"".join(b"1;a\r\n%c\r\n" % byte for byte in small)
    if body[9000:]:
        chunks += b"%x\r\n%s\r\n" % (len(body[9000:]), body[9000:])
    answer = await project.service.send(start, chunks + b"0\r\n\r\n")
    check(answer.status == 200, f"chunks of one byte: answer {answer.status}")
    check(same(answer.json(), project.expected), "chunks of one byte: a wrong answer")
    said = []
    for size in (b"-1", b"0x5", b"zz", b"f" * 17, b"f" * 100_000, b""):
        said.append(refused(await project.service.send(start, size + b"\r\n" + body[:5] + b"\r\n")))
    return counted(said)


@attack(seconds=40)
async def mutated_requests(project: Project) -> str:
    """A thousand requests with some bytes of their heads changed, cut out or put in."""
    dice, said = random.Random(12), []
    odd = [
        b"\r",
        b"\n",
        b"\r\n",
        b"\0",
        b":",
        b" ",
        b"\t",
        b"\xff",
        b"%",
        b"?",
        b"//",
        b"\r\n ",
        b",",
    ]
    kinds = [predict(project.samples.one), head("GET", "/model"), head("HEAD", "/livez", CHUNKED)]
    requests = []
    for number in range(1000):
        request = kinds[number % 3]
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(min(len(request), 120))
            new = dice.choice([*odd, dice.randbytes(1), b""])
            request = request[:at] + new + request[at + dice.choice([0, 1, 1, 5]) :]
        requests.append(request)
    for start in range(0, len(requests), 50):
        some = requests[start : start + 50]
        sent = (project.service.send(request, patience=0.5) for request in some)
        said += [answer.status for answer in await asyncio.gather(*sent)]
    return counted(said)


@attack(seconds=30)
async def pipelines(project: Project) -> str:
    """Requests sent without waiting: each answer is its own; thousands hold nobody else."""
    bodies = [project.samples.body(project.samples.draw(number)) for number in range(8)]
    alone = [(await project.service.send(predict(body))).json() for body in bodies]
    connection = Connection(project.service.port)
    await connection.send(b"".join(map(predict, bodies)))
    for right in alone:
        check(same((await connection.ask()).json(), right), "another's answer")
    connection.close()
    for reset in (False, True):
        for request in (head("GET", "/livez"), head("GET", "/openapi.json"), predict(bodies[0])):
            connection = Connection(project.service.port)
            sending = asyncio.create_task(
                connection.send(*pieces(request * (3_000_000 // len(request))))
            )
            await asyncio.sleep(0.7)
            sending.cancel()
            connection.close(reset)
    return "each its own answer"
