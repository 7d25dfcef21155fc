"""Files of models that can't answer."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tools import free_port

from attack.client import Answer, Connection, predict
from attack.rules import attack
from attack.samples import same
from attack.service import Project, check, counted

PATIENCE = 20  # seconds until the service has to be over


def changed(model: Path) -> Iterator[tuple[str, bytes]]:
    """Yield copies of an ONNX file whose metadata contradict its graph, each with its name."""
    import onnx

    loaded = onnx.load(model)
    told = {row.key: row.value for row in loaded.metadata_props}
    spec = json.loads(told["input_spec"])
    if "image_shape" in spec:
        spec["image_shape"] = [1, 7, 9]
    elif "columns" in spec:
        spec["columns"].pop()
    else:
        spec["length"] = "many"
    for name, new in {
        "no JSON": {"input_spec": "{", "classes": "["},
        "an input of null": {"input_spec": "null"},
        "fewer classes": {"classes": json.dumps(json.loads(told.get("classes", "[0]"))[:-1])},
        "a newer format": {"format": "999"},
        "another input": {"input_spec": json.dumps(spec)},
        "no metadata": None,
    }.items():
        del loaded.metadata_props[:]
        for key, value in {} if new is None else (told | new).items():
            loaded.metadata_props.add(key=key, value=value)
        yield name, loaded.SerializeToString()
    loaded = onnx.load(model)
    for node in loaded.graph.node:
        node.input[:] = [name.replace("inputs", "pixels_") for name in node.input]
    loaded.graph.input[0].name = "pixels_"
    yield "an input of another name", loaded.SerializeToString()


@attack(seconds=150, alone=True)
async def broken_models(project: Project) -> str:
    """A model that can't answer is one line and exit code 2 at start."""
    models = project.folder / "models"
    model = next(iter(models.glob("*.onnx")), models / "model.ckpt")
    content = model.read_bytes()
    files = {
        "half a file": content[: len(content) // 2],
        "a text": b"version https://git-lfs.github.com/spec/v1\n",
        "an empty file": b"",
    }
    if model.suffix == ".onnx":
        files |= dict(changed(model))
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{name}{model.suffix}") for name in files]
        for path, data in zip(paths, files.values(), strict=True):
            path.write_bytes(data)
        turn = asyncio.Semaphore(2)

        async def refusal(path: Path) -> str:
            async with turn:
                return await asyncio.to_thread(fault, project, path)

        found = await asyncio.gather(*map(refusal, paths))
    faults = [f"{name}: {fault}" for name, fault in zip(files, found, strict=True) if fault]
    check(not faults, "; ".join(faults))
    return f"{len(files)} files refused"


def fault(project: Project, model: Path) -> str:
    """Start a service with a model; return what is wrong with how it refuses, or nothing."""
    process = project.command(
        *("-m", project.package, "serve"),
        environment={"SERVE_MODEL": str(model), "SERVE_PORT": str(free_port())},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        lines = process.communicate(timeout=PATIENCE)[1].decode().strip().splitlines()
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return "it serves"
    if process.returncode != 2:
        return f"exit code {process.returncode}: {lines[-1] if lines else ''}"[:150]
    return "" if len(lines) == 1 else f"{len(lines)} lines on standard error"


def other_weights(model: Path) -> bytes:
    """Return a copy of an ONNX file that answers something else."""
    import onnx
    from onnx import numpy_helper

    loaded = onnx.load(model)
    for weights in loaded.graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype.kind == "f" and values.size > 1:
            weights.CopyFrom(numpy_helper.from_array(values * values.dtype.type(0.9), weights.name))
    return bytes(loaded.SerializeToString())


@attack(seconds=90, alone=True)
async def reloads_under_load(project: Project) -> str:
    """Two models and broken files take turns: each answer is that of the version that it names."""
    original = next((project.folder / "models").glob("*.onnx"), None)
    if original is None:
        return "a project that does not export has no other weights"
    contents = [original.read_bytes(), other_weights(original)]
    contents += [b"", contents[0][: len(contents[0]) // 2]]
    request, ends = predict(project.samples.one), False
    answers: list[Answer] = []

    async def client(port: int) -> None:
        connection = Connection(port)
        while not ends:
            answers.append(await connection.ask(request))
        connection.close()

    with TemporaryDirectory() as folder:
        model = Path(folder, "model.onnx")
        model.write_bytes(contents[0])
        with project.start(SERVE_MODEL=model) as service:
            asking = asyncio.gather(*(client(service.port) for _ in range(8)))
            for turn in range(24):
                new = Path(folder, "new")
                new.write_bytes(contents[turn % len(contents)])
                new.replace(model)
                os.kill(service.process.pid, signal.SIGHUP)
                await asyncio.sleep([0.3, 0.05][turn % 3 == 2])
            ends = True
            await asking
            service.log()
    check({answer.status for answer in answers} == {200}, counted(a.status for a in answers))
    right: dict[str, Answer] = {}
    for answer in answers:
        first = right.setdefault(answer.headers["x-model-version"], answer)
        check(same(answer.json(), first.json()), "one version gives two answers")
    one, other = right.values()
    check(not same(one.json(), other.json()), "two versions give one answer")
    return f"{len(answers)} answers of two models"
