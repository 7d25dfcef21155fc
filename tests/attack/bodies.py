"""Bodies of JSON that are wrong, odd or too large."""

import json
import random

from attack.client import predict
from attack.rules import attack, refused
from attack.samples import same
from attack.service import Project, check, counted

LIMIT = 9_900_000  # bytes, within what a service takes by default
ODD = rb'null true -1 0.5 256 1e400 -0 NaN "" "\ud800" "\u0000" "x" "\x" [] {} [[]] [ ] { } , : "'


async def send_all(project: Project, *bodies: bytes) -> str:
    """Send bodies one after the other; each is predicted or refused."""
    return counted([refused(await project.service.send(predict(b)), 200) for b in bodies])


@attack(seconds=30)
async def all_elements_wrong(project: Project) -> str:
    """A body of the most samples, each element wrong, costs no more than the first errors."""
    return await send_all(project, project.samples.wrong())


@attack(seconds=30)
async def too_many_values(project: Project) -> str:
    """More samples, values, keys or brackets than a request can have are counted, not parsed."""
    key = project.samples.key.encode()
    one = json.dumps(project.samples.example).encode()
    keys = b",".join(b'"k%d":1' % number for number in range(700_000))
    return await send_all(
        project,
        b'{"%s":[%s]}' % (key, b",".join([one] * (LIMIT // (len(one) + 1)))),
        b'{"%s":[%s0]}' % (key, b"0," * (LIMIT // 2)),
        b'{"%s":%s' % (key, b"[" * LIMIT),
        b'{"a":' * (LIMIT // 5),
        project.samples.one[:-1] + b"," + keys + b"}",
    )


@attack()
async def largest_body(project: Project) -> str:
    """The largest valid body is answered, and its reading does not hold the others."""
    body = project.samples.largest()
    answer = await project.service.send(predict(body))
    check(answer.status == 200, f"answer {answer.status}")
    check(len(answer.json()["predictions"]) == project.samples.most, "not as many predictions")
    return f"{len(body):,} bytes"


@attack(seconds=60, memory=300, held=250)
async def largest_bodies_at_once(project: Project) -> str:
    """Twenty of them: each is answered rightly or refused with 503, and probes go on."""
    request = predict(project.samples.largest())
    right = (await project.service.send(request)).json()
    answers = await project.service.together(*[request] * 20)
    said = counted([answer.status for answer in answers])
    check({answer.status for answer in answers} in ({200}, {200, 503}), said)
    check(all(same(a.json(), right) for a in answers if a.status == 200), "a wrong answer")
    return said


@attack()
async def endless_values(project: Project) -> str:
    """Numbers and strings of a million characters, in the place of a sample, a value and a key."""
    key, digits = project.samples.key.encode(), b"1" * 1_000_000
    numbers = [digits, b"-" + digits, b"0." + digits, b"1e" + digits, digits + b".5e-999999"]
    strings = [
        b"a" * 1_000_000,
        b"\\u0341" * 1_000_000,
        "ﷺ".encode() * 1_000_000,
        b"\\\\" * 999_999,
    ]
    values = numbers + [b'"%s"' % letters for letters in strings]
    bodies = [b'{"%s":[%s]}' % (key, value) for value in values]
    bodies += [project.samples.one.replace(b"0", value, 1) for value in numbers]
    return await send_all(project, *bodies, *(b'{"%s":1}' % letters for letters in strings))


@attack(seconds=40)
async def mutated_bodies(project: Project) -> str:
    """Two thousand bodies with odd tokens put in, parts cut out, bytes changed, other encodings."""
    dice, body = random.Random(12), project.samples.one
    bodies = [body.decode().encode(code) for code in ("utf-16", "utf-32", "utf-8-sig", "utf-7")]
    for _ in range(2000):
        changed = body
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(min(len(changed), dice.choice([40, 10_000])) + 1)
            end = at + dice.choice([0, 1, 1, 2, 9, 999])
            byte = dice.randbytes(1)
            new = dice.choice([byte, b"", *ODD.split()])
            changed = changed[:at] + new + changed[end:]
        bodies.append(changed)
    return await send_all(project, *bodies)


@attack(tasks=("texts",), seconds=40)
async def odd_texts(project: Project) -> str:
    """Letters that normalising makes many of or reorders at length, and thousands of any others."""
    samples, dice = project.samples, random.Random(12)
    letters = [
        "\ufdfa",
        "a" + "\u0301\u0316" * 40,
        "\u1fb7",
        "\u0344",
        "가",
        "\u202e",
        "\U0001f468\u200d",
    ]
    texts = [(letter * samples.longest)[: samples.longest] for letter in letters]
    bodies = [samples.body(*[text] * samples.most) for text in texts]
    for _ in range(100):
        drawn = [dice.choices(range(1, 0xD800), k=dice.randint(1, 99)) for _ in range(32)]
        bodies.append(samples.body(*["".join(map(chr, codes)) for codes in drawn]))
    return await send_all(project, *bodies)
