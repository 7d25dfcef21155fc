"""Tensors of the Open Inference Protocol whose parts contradict each other."""

import json
import random
import struct
from typing import Any

from attack.bodies import ODD
from attack.client import Answer, head
from attack.rules import attack
from attack.service import Project, check, counted

SIZES = {"BOOL": 1, "UINT8": 1, "INT32": 4, "INT64": 8, "FP32": 4, "FP64": 8}
MOST = 64  # samples in a request, by default
HUGE = [-1, 0, 2**31, 2**63, 10**30, True, 1.5, "1", None, [1], {}]


def tensors(project: Project, count: int) -> list[tuple[dict[str, Any], bytes]]:
    """Describe the model's inputs for some samples, each with its bytes."""
    found = []
    for known in project.service.get(f"/v2/models/{project.package}").json()["inputs"]:
        shape = [count, *known["shape"][1:]]
        length = 1
        for size in shape:
            length *= size
        if known["datatype"] == "BYTES":
            content = (struct.pack("<I", 3) + b"abc") * length
        else:
            content = bytes(SIZES[known["datatype"]] * length)
        tensor = {"name": known["name"], "shape": shape, "datatype": known["datatype"]}
        found.append((tensor, content))
    return found


def infer(project: Project, text: bytes, content: bytes = b"", told: str = "") -> bytes:
    """Write a request: its JSON part, the bytes of its tensors, and the length that it tells."""
    lengths = f"Content-Length: {len(text) + len(content)}"
    told = f"Inference-Header-Content-Length: {told or len(text)}"
    path = f"/v2/models/{project.package}/infer"
    return head("POST", path, lengths, told) + text + content


def binary(found: list[tuple[dict[str, Any], bytes]]) -> tuple[dict[str, Any], bytes]:
    """Write a request whose tensors are all in binary."""
    described = [
        tensor | {"parameters": {"binary_data_size": len(content)}} for tensor, content in found
    ]
    return {"inputs": described}, b"".join(content for _, content in found)


def judge(answer: Answer) -> str:
    """Check that a request was answered or refused in the protocol's own form."""
    if answer.status in {0, 200}:
        return str(answer.status)
    check(answer.status in {400, 413, 431}, f"answer {answer.status}")
    if answer.status == 400 and answer.headers.get("content-type") == "application/json":
        check(answer.json().keys() & {"error", "detail"}, f"answer {answer.body[:99]!r}")
    return str(answer.status)


@attack(seconds=60)
async def contradicting_tensors(project: Project) -> str:
    """Shapes, sizes and lengths that are huge, negative, of other types or of other tensors."""
    asked, content = binary(tensors(project, 2))
    text = json.dumps(asked).encode()
    answer = await project.service.send(infer(project, text, content))
    check(answer.status == 200, f"an ordinary request: {answer.status} {answer.body[:99]!r}")
    requests = [
        infer(project, text, content, told)
        for told in ("0", "1", "-1", "+5", "5e0", "9" * 12, "9" * 400, "0x10", str(len(text) - 1))
    ]
    for odd in HUGE:
        for name in ("shape", "binary_data_size", "datatype", "name", "data", "parameters"):
            changed = json.loads(text)
            first = changed["inputs"][0]
            if name == "binary_data_size":
                first["parameters"][name] = odd
            elif name == "shape":
                first[name][0] = odd
            else:
                first[name] = odd
            requests.append(infer(project, json.dumps(changed).encode(), content))
    twice = {"inputs": asked["inputs"] * 2000}
    deep: dict[str, Any] = {"inputs": [asked["inputs"][0] | {"shape": [1] * 100_000}]}
    names = {"inputs": asked["inputs"], "outputs": [{"name": str(n)} for n in range(100_000)]}
    requests += [infer(project, json.dumps(one).encode(), content) for one in (twice, deep, names)]
    requests += [infer(project, text, content + b"x"), infer(project, text, content[:-1])]
    return counted([judge(await project.service.send(one)) for one in requests])


@attack(seconds=60)
async def mutated_tensors(project: Project) -> str:
    """Two thousand requests with odd tokens, lengths and bytes in the JSON part and after it."""
    dice = random.Random(12)
    asked, content = binary(tensors(project, 1))
    text = json.dumps(asked).encode()
    found = []
    for _ in range(2000):
        parts = {"text": text, "content": content}
        for _ in range(dice.randint(1, 3)):
            name = dice.choice([*parts])
            part = parts[name]
            at = dice.randrange(len(part) + 1)
            new = dice.choice([dice.randbytes(1), b"", *ODD.split()])
            parts[name] = part[:at] + new + part[at + dice.choice([0, 1, 2, 9]) :]
        told = dice.choice(["", "", "", str(dice.randrange(2 * len(text)))])
        found.append(judge(await project.service.send(infer(project, **parts, told=told))))
    return counted(found)


@attack()
async def largest_tensors(project: Project) -> str:
    """The most samples in binary are answered; one more and the largest body are refused."""
    asked, content = binary(tensors(project, MOST))
    answer = await project.service.send(infer(project, json.dumps(asked).encode(), content))
    check(answer.status == 200, f"answer {answer.status}")
    asked, content = binary(tensors(project, MOST + 1))
    answer = await project.service.send(infer(project, json.dumps(asked).encode(), content))
    check(answer.status in {400, 413}, f"answer {answer.status} to one more")
    answer = await project.service.send(infer(project, b"[" * 9_900_000))
    check(answer.status in {0, 400, 413}, f"answer {answer.status} to brackets only")
    return f"{MOST} samples"
