"""The Open Inference Protocol: answers, as JSON and in binary, and refusals."""

import json
import random
import re
import struct
from concurrent.futures import ThreadPoolExecutor

import example
import numpy as np
import pytest
from service import LARGEST, running, until

from {{ cookiecutter.project_slug }}.inference.predictor import Predictor

MODEL = "/v2/models/{{ cookiecutter.project_slug }}"
LENGTH = "inference-header-content-length"
DTYPES = {"UINT8": "u1", "FP32": "<f4"}
BINARY = {"binary_data_output": True}


def infer(client, request, content=None, length=None, **headers):
    """Send a request, with the bytes of its tensors after it if there are any."""
    head = request if isinstance(request, bytes) else json.dumps(request).encode()
    if content is not None:
        headers[LENGTH] = str(len(head) if length is None else length)
    return client.post(f"{MODEL}/infer", content=head + (content or b""), headers=headers)


def in_binary(tensors):
    """Move the values of tensors out of their descriptions; return these, and the bytes."""
    described, content = [], b""
    for tensor in tensors:
        values = tensor["data"]
        if tensor["datatype"] == "BYTES":
            texts = [text.encode() for text in values]
            part = b"".join(struct.pack("<I", len(text)) + text for text in texts)
        else:
            part = np.array(values, DTYPES[tensor["datatype"]]).tobytes()
        kept = {key: value for key, value in tensor.items() if key != "data"}
        described.append(kept | {"parameters": {"binary_data_size": len(part)}})
        content += part
    return described, content


def outputs_of(answer):
    """Return the values of the outputs of an answer, by their names."""
    assert answer.status_code == 200, answer.text
    length = int(answer.headers.get(LENGTH, len(answer.content)))
    place, found = length, {}
    for output in json.loads(answer.content[:length])["outputs"]:
        values = output.get("data")
        if values is None:
            size = output["parameters"]["binary_data_size"]
            part, place = answer.content[place : place + size], place + size
            values = np.frombuffer(part, "<f4").tolist() if output["datatype"] == "FP32" else []
            while output["datatype"] == "BYTES" and part:
                end = 4 + struct.unpack_from("<I", part)[0]
                values.append(part[4:end].decode())
                part = part[end:]
        assert output["shape"] == [len(values)]
        found[output["name"]] = values
    assert place == len(answer.content)
    return found


def reason(answer, status=400):
    """Return the reason of a refusal."""
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    return answer.json()["error"]


def test_tensors_are_answered_like_samples(client, inputs):
    predictions = client.post("/predict", json=example.request(inputs[:9])).json()["predictions"]
    expected = {name: [row[name] for row in predictions] for name in predictions[0]}
    tensors = example.tensors(inputs[:9])
    described, content = in_binary(tensors)
    assert outputs_of(infer(client, {"inputs": tensors})) == expected
    assert outputs_of(infer(client, {"inputs": described}, content)) == expected
    answer = infer(client, {"inputs": tensors, "parameters": BINARY})
    assert answer.headers["content-type"] == "application/octet-stream"
    assert outputs_of(answer) == expected


def test_an_answer_repeats_the_id_and_names_the_model(client, model, inputs):
    asked = {"id": "é-7", "inputs": example.tensors(inputs[:1]), "parameters": {"any": 1.5}}
    version = Predictor(model).version
    answer = infer(client, asked).json()
    del answer["outputs"]
    assert answer == {"model_name": MODEL[11:], "model_version": version, "id": "é-7"}
    assert client.post(f"{MODEL}/versions/{version}/infer", json=asked).json()["id"] == "é-7"


def test_outputs_are_chosen_one_by_one(client, inputs):
    outputs = [{"name": "probability", "parameters": {"binary_data": True}}, {"name": "label"}]
    asked = {"inputs": example.tensors(inputs[:2])}
    everything = outputs_of(infer(client, asked))
    assert outputs_of(infer(client, asked | {"outputs": outputs})) == everything
    chosen = outputs_of(infer(client, asked | {"outputs": outputs[:1]}))
    assert chosen == {"probability": everything["probability"]}


def test_the_model_and_its_tensors_are_described(client, model, inputs):
    version = Predictor(model).version
    assert client.get("/v2").json()["extensions"] == ["binary_tensor_data"]
    assert client.get("/v2/health/live").json() == {"live": True}
    for path in ("/v2/health/ready", f"{MODEL}/ready", f"{MODEL}/versions/{version}/ready"):
        assert client.get(path).json()["ready"] is True
    answer = client.get(f"{MODEL}/versions/{version}").json()
    assert answer == client.get(MODEL).json()
    assert answer["versions"] == [version]
    for described, sent in zip(answer["inputs"], example.tensors(inputs[:3]), strict=True):
        assert described["name"] == sent["name"]
        assert described["datatype"] == sent["datatype"]
        assert described["shape"] == [-1, *sent["shape"][1:]]
    outputs = [(output["name"], output["datatype"]) for output in answer["outputs"]]
    assert outputs == [("label", "BYTES"), ("probability", "FP32")]


@pytest.mark.parametrize(
    "path",
    ["/v2/models/other", f"{MODEL}/versions/1", f"{MODEL}/ready/now", "/v2/models", "/v2x"],
)
def test_another_model_version_or_endpoint_is_not_there(client, inputs, path):
    assert reason(client.get(path), 404)
    asked = {"inputs": example.tensors(inputs[:1])}
    assert reason(client.post(f"{path}/infer", json=asked), 404)


def test_other_methods_are_not_allowed(client):
    assert reason(client.get(f"{MODEL}/infer"), 405)
    assert reason(client.post(MODEL, json={}), 405)


def changed(**values):
    """Make what changes the first tensor of a request."""
    return lambda asked: asked["inputs"][0].update(values)


def sized(size, data=None):
    """Make what gives the first tensor so many bytes after the JSON part, as it says."""
    return changed(parameters={"binary_data_size": size}, data=data)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (changed(name="other"), "'other' is unknown"),
        (lambda asked: asked["inputs"].append(asked["inputs"][0]), "is there twice"),
        (lambda asked: asked["inputs"].pop(), "is missing"),
        (lambda asked: asked.pop("inputs"), "inputs.*required"),
        (changed(datatype="FP16"), "'FP16'"),
        (changed(shape=[-1]), "shape.*greater than"),
        (changed(shape=[1.5]), "shape.*integer"),
        (changed(shape=[]), r"shape \[\]"),
        (changed(shape=[0], data=[]), r"shape \[0\]"),
        (changed(shape=[2**62, 4]), r"shape \[4611686018427387904, 4\]"),
        (lambda asked: asked["inputs"][0]["shape"].__setitem__(0, 65), "n <= 64"),
        (changed(data=None), "needs either"),
        (sized(0, data=[1]), "needs either"),
        (sized(10), "lacks its bytes"),
        (sized(-1), "lacks its bytes"),
        (sized(2**64), "lacks its bytes"),
        (sized("1"), "lacks its bytes"),
        (sized(0), "0 bytes|not as many texts"),
        (changed(data=[]), "0 values"),
        (changed(data=[[1], [2, 3]]), "other lengths|valid"),
        (lambda asked: asked["inputs"][0]["data"].__setitem__(0, {}), "valid"),
        (lambda asked: asked["inputs"][0]["data"].__setitem__(0, 10**400), "request"),
        (lambda asked: asked.update(outputs=[{"name": "logits"}]), "'logits' is unknown"),
        (lambda asked: asked.update(id="7" * 2000), "id.*at most 1000"),
    ],
)
def test_a_wrong_request_is_refused_by_name(client, inputs, change, named):
    asked = {"inputs": example.tensors(inputs[:2])}
    change(asked)
    assert re.search(named, reason(infer(client, asked)))


def test_bytes_that_contradict_their_description_are_refused(client, inputs):
    described, content = in_binary(example.tensors(inputs[:2]))
    asked = {"inputs": described}
    assert "belong to no input" in reason(infer(client, asked, content + b"0"))
    assert "lacks its bytes" in reason(infer(client, asked, content[:-1]))
    for length in ("-1", "1.5", "9" * 5000, len(content) * 100, "\u0663"):
        headers = {LENGTH: str(length).encode()}
        answer = client.post(f"{MODEL}/infer", content=json.dumps(asked), headers=headers)
        assert "Length" in reason(answer)
    assert "JSON" in reason(infer(client, asked, content, length=5))


def test_a_body_that_is_no_request_is_refused(client):
    for body in (b"", b"[]", b"{", b"\xff", b'{"inputs": []}', b'{"id": "\\ud800", "inputs": []}'):
        assert len(reason(infer(client, body)).splitlines()) == 1


def test_a_body_that_is_compressed_or_too_large_is_refused(client):
    assert "gzip" in reason(infer(client, b"", **{"content-encoding": "gzip"}), 415)
    assert "larger than" in reason(infer(client, b" " * (LARGEST + 1)), 413)


@pytest.mark.parametrize("part", ["[],", '{"a":[]},', "0,", '"",', "[[[[["])
def test_a_body_of_many_values_is_refused_before_it_is_parsed(client, part):
    body = '{"inputs": [' + part * (150_000 // len(part)) + "0]}"
    assert "more values" in reason(infer(client, body.encode()))


def test_broken_bodies_are_answered_or_refused(client, inputs):
    described, content = in_binary(example.tensors(inputs[:3]))
    asked = json.dumps({"inputs": described}).encode()
    dice, statuses = random.Random(0), set()  # noqa: S311 - no secret
    for _ in range(200):
        body = bytearray(asked + content)
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(body))
            body[place : place + dice.randint(0, 2)] = dice.randbytes(dice.randint(0, 2))
        length = len(asked) + dice.choice([0, 0, 0, -1, 1])
        answer = client.post(f"{MODEL}/infer", content=bytes(body), headers={LENGTH: str(length)})
        statuses.add(answer.status_code)
    assert {400} <= statuses <= {200, 400}


def test_tensors_share_the_queue_and_the_limits(slow, inputs):
    body = {"inputs": example.tensors(inputs[:1])}
    with running(slow, max_queue=1, max_batch=1, timeout=1) as client:
        assert "not answered yet" in reason(client.get("/v2/health/ready"), 503)
        assert "1 s" in reason(infer(client, body), 504)
    with running(slow, max_queue=1, max_batch=1) as client, ThreadPoolExecutor(20) as pool:
        futures = [pool.submit(infer, client, body) for _ in range(20)]
        until(lambda: sum(future.done() for future in futures) >= 18)
        slow.may_run.set()
        refused = [future.result() for future in futures if future.result().status_code != 200]
        assert "too many samples wait" in reason(refused[0], 503)
        assert len(futures) - len(refused) in {1, 2}


def test_the_endpoints_are_documented(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert list(paths[MODEL]) == ["get"]
    answers = paths[f"{MODEL}/infer"]["post"]["responses"]
    assert {"200", "400", "413", "415", "503", "504"} <= answers.keys()
