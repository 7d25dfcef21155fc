"""Serving: the baked service under load, next to the usual one, to the ceiling and to others.

One core is the servers', another the load generator's (wrk), on loopback: single samples as JSON,
with validation, limits, request ids and logs on, as shipped. Every server is started anew for each
turn, so that none runs beside another. Besides answers per second of wall time, the figures give
the processor time that the server spends on an answer. `--task` bakes for another task than images;
what is the same file for all tasks, such as the batcher, is measured with images only.
"""

import argparse
import contextlib
import importlib
import importlib.util
import itertools
import json
import math
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import joblib
import numpy as np
import onnx
import onnxruntime
import psutil
from measure import ratio, verdict
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import HistGradientBoostingClassifier

TEMPLATE = Path(__file__).resolve().parents[1]
SERVERS = Path(__file__).with_name("servers")
SLUG = "bench_project"

OURS = "as shipped"
NAIVE = "usual FastAPI service"  # of scikit-learn's own model, for tables
KEYED = "as shipped, with an API key"
CEILING = "FastAPI route that returns a constant"
RAW = "Uvicorn alone, which returns a constant"
ALONE = "as shipped, one connection"
BATCHED = "slow model, as shipped"
UNBATCHED = "slow model, a batch of one a call"
BENTOML = "baked with BentoML"
LITSERVE = "LitServe"
TORCHSERVE = "TorchServe"
CROWDS = (256, 1000)  # clients that ask again at once after a refusal
KEYS = ("rate", "cost", "p50", "p99")

SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "AUTHORIZATION"
wrk.body = io.open("BODY"):read("*a")
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "RESULT %f %f %f %f %d %d\\n",
    summary.requests - errors.status, summary.duration / 1e6,
    latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout
  ))
end
"""


@dataclass(frozen=True)
class Load:
    """What wrk saw, and what it cost the server.

    Attributes:
        rate: Answers per second, without refusals.
        cost: Processor time of the server in microseconds for an answer.
        p50: Median latency in microseconds.
        p99: Latency in microseconds that 99 of 100 answers stay below.
    """

    rate: float
    cost: float
    p50: float
    p99: float


def bake(folder: Path, task: str, serving: str) -> Path:
    """Bake a project and return its folder."""
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input"]
    answers = [f"project_slug={SLUG}", f"task={task}", "tracker=none", f"serving={serving}"]
    subprocess.run(
        [*command, "--output-dir", str(folder / serving), *answers],
        check=True,
        capture_output=True,
    )
    return folder / serving / SLUG


def run(project: Path, *arguments: str) -> None:
    """Run a command of the baked project."""
    environment = os.environ | {"PYTHONPATH": str(project / "src")}
    command = [sys.executable, "-m", SLUG, *arguments]
    subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True)


@dataclass(frozen=True)
class Sample:
    """A sample of the test split.

    Attributes:
        request: The body of a request for it.
        inputs: What the model gets for it, a batch of one.
    """

    request: dict[str, Any]
    inputs: np.ndarray


def first_sample(project: Path, model: Path, task: str) -> Sample:
    """Take the first sample of the test split, as a client and as the model sees it."""
    sys.path.insert(0, str(project / "src"))
    inputs = importlib.import_module(f"{SLUG}.datasets.inputs")
    metadata = {row.key: json.loads(row.value) for row in onnx.load(model).metadata_props}
    spec = inputs.InputSpec(**metadata["input_spec"])
    sample = stored(project, "test_inputs")[:1]
    if task == "image":
        return Sample({"images": sample.tolist()}, sample)
    key = {"text": "texts", "tabular": "rows"}[task]
    return Sample({key: [spec.decode(sample[0])]}, spec.trim(sample))


def fit_trees(project: Path, names: list[str], path: Path) -> None:
    """Fit scikit-learn's own model to the rows that the network was trained on."""
    inputs, labels = (stored(project, f"train_{kind}") for kind in ("inputs", "labels"))
    joblib.dump((names, HistGradientBoostingClassifier().fit(inputs, labels)), path)


def stored(project: Path, name: str) -> np.ndarray:
    """Load an array of the prepared data."""
    (path,) = (project / "data/processed").glob(f"*/{name}.npy")
    return np.load(path)


def slow_model(path: Path, like: Path, milliseconds: float) -> None:
    """Write a model of the same inputs and outputs, one image of which costs `milliseconds`.

    It is a wide multilayer perceptron: its weights have to come from memory for every call, however
    many images the call holds, as those of large models do.
    """
    original = onnx.load(like)
    generator = np.random.default_rng(0)
    width = 1000
    while True:
        sizes = [64, width, width, 10]
        weights = [
            numpy_helper.from_array(
                generator.normal(0, rows**-0.5, (rows, columns)).astype(np.float32), f"w{n}"
            )
            for n, (rows, columns) in enumerate(itertools.pairwise(sizes))
        ]
        shape = numpy_helper.from_array(np.array([-1, 64]), "shape")
        nodes = [
            helper.make_node("Cast", ["inputs"], ["float"], to=TensorProto.FLOAT),
            helper.make_node("Reshape", ["float", "shape"], ["h0"]),
            helper.make_node("MatMul", ["h0", "w0"], ["a0"]),
            helper.make_node("Tanh", ["a0"], ["h1"]),
            helper.make_node("MatMul", ["h1", "w1"], ["a1"]),
            helper.make_node("Tanh", ["a1"], ["h2"]),
            helper.make_node("MatMul", ["h2", "w2"], ["logits"]),
        ]
        graph = helper.make_graph(
            nodes,
            "slow",
            [helper.make_tensor_value_info("inputs", TensorProto.UINT8, ["batch", 1, 8, 8])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])],
            [*weights, shape],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        helper.set_model_props(model, {row.key: row.value for row in original.metadata_props})
        onnx.save(model, path)
        took = model_microseconds(path, np.zeros((1, 1, 8, 8), np.uint8)) / 1000
        if took >= milliseconds:
            print(f"the slow model: {width} units a layer, {took:.1f} ms an image")
            return
        width = int(width * max(1.05, min(2, (milliseconds / took) ** 0.5)))


def model_microseconds(path: Path, inputs: np.ndarray) -> float:
    """Return the median time of a batch in ONNX Runtime, in microseconds."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options)
    times = []
    for _ in range(200):
        start = time.perf_counter()
        session.run(None, {"inputs": inputs})
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


def pinned(core: int) -> list[str]:
    """Hold a command to one core, where the system can."""
    return ["taskset", "--cpu-list", str(core)] if shutil.which("taskset") else []


@dataclass(frozen=True)
class Case:
    """A server and how it is asked.

    Attributes:
        command: What starts it; `PORT` is replaced.
        environment: Variables that it gets.
        path: What is asked for.
        connections: How many clients ask at a time.
        port: Where it listens; 0 for any that is free.
        may_refuse: Whether it may answer that it is busy.
    """

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    path: str = "predict"
    connections: int = 32
    port: int = 0
    may_refuse: bool = False


@dataclass(frozen=True)
class Asked:
    """The request that every server gets.

    Attributes:
        body: JSON.
        authorization: The header; a server that asks for no key takes no notice of it.
    """

    body: bytes
    authorization: str


def torchserve(folder: Path, model: Path) -> Case:
    """Archive the model for TorchServe, and configure that."""
    handler = SERVERS / "torchserve_handler.py"
    options = ["--model-name=digits", "--version=1", f"--extra-files={model}", "--force"]
    subprocess.run(
        ["torch-model-archiver", *options, f"--handler={handler}", f"--export-path={folder}"],
        check=True,
        capture_output=True,
    )
    ports = [free_port() for _ in range(3)]
    addresses = zip(["inference", "management", "metrics"], ports, strict=True)
    lines = [f"{kind}_address=http://127.0.0.1:{port}" for kind, port in addresses]
    settings = folder / "config.properties"
    settings.write_text("\n".join([*lines, "disable_token_authorization=true\n"]))
    command = ["torchserve", "--foreground", "--ncs", f"--model-store={folder}"]
    return Case(
        [*command, "--models=digits=digits.mar", f"--ts-config={settings}"],
        {"LOG_LOCATION": str(folder), "METRICS_LOCATION": str(folder)},
        path="predictions/digits",
        port=ports[0],
    )


def more_cases(folder: Path, ours: list[str], variables: dict[str, str]) -> dict[str, Case]:
    """Return the cases that images alone have: a slow model, and other servers."""
    model = variables["SERVE_MODEL"]
    slow = folder / "slow.onnx"
    slow_model(slow, Path(model), milliseconds=5)
    variables = {**variables, "SERVE_MODEL": str(slow)}
    cases = {
        BATCHED: Case(ours, variables),
        UNBATCHED: Case(ours, {**variables, "SERVE_MAX_BATCH": "1"}),
    }
    if importlib.util.find_spec("litserve"):
        cases[LITSERVE] = Case([sys.executable, str(SERVERS / "lit.py"), model, "PORT"])
    else:
        print("LitServe is not measured: pip install litserve")
    if all(map(shutil.which, ("torchserve", "torch-model-archiver", "java"))):
        cases[TORCHSERVE] = torchserve(folder, Path(model))
    else:
        print("TorchServe is not measured: pip install torchserve torch-model-archiver; and Java")
    return cases


def crowd(name: str, clients: int) -> str:
    """Name the case of a server that so many clients ask at a time."""
    return f"{name}, {clients:,} connections"


def measure(case: Case, script: Path, asked: Asked, seconds: int) -> Load:
    """Start a server, warm it up, load it and stop it."""
    port = str(case.port or free_port())
    url = f"http://127.0.0.1:{port}/{case.path}"
    command = [port if word == "PORT" else word for word in case.command]
    with server(command, url, asked, case.environment | {"SERVE_PORT": port}) as process:
        load(process, case, url, script, 1)
        return load(process, case, url, script, seconds)


@contextlib.contextmanager
def server(
    command: list[str], url: str, asked: Asked, environment: dict[str, str]
) -> Iterator[psutil.Process]:
    """Run a server on the first core, and wait for its first answer."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [*pinned(0), *command],
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
        try:
            end = time.monotonic() + 60
            while not answers(url, asked):
                if process.poll() is not None or time.monotonic() > end:
                    log.seek(0)
                    sys.exit(f"{' '.join(command)} does not answer:\n{log.read()[-2000:]}")
                time.sleep(0.1)
            yield psutil.Process(process.pid)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def answers(url: str, asked: Asked) -> bool:
    """Say whether a server answers the request that it will be measured with."""
    headers = {"content-type": "application/json", "authorization": asked.authorization}
    try:
        answer = httpx2.post(url, content=asked.body, headers=headers)
        return answer.status_code == 200 and "predictions" in answer.json()
    except httpx2.TransportError:
        return False


def load(process: psutil.Process, case: Case, url: str, script: Path, seconds: float) -> Load:
    """Ask over and over on some connections, from the second core."""
    command = [*pinned(1), "wrk", "--threads=1", f"--connections={case.connections}", "--latency"]
    options = [f"--duration={seconds:.0f}s", "--timeout=10s", f"--script={script}", url]
    before = processor_seconds(process)
    done = subprocess.run([*command, *options], check=True, capture_output=True, text=True)
    spent = processor_seconds(process) - before
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    answered, took, p50, p99, refused, failed = map(float, line.split()[1:])
    if failed or (refused and not case.may_refuse):
        sys.exit(f"{url}: {answered:.0f} answers, {refused:.0f} refusals, {failed:.0f} failures")
    cost = spent / answered * 1e6 if answered else math.inf
    return Load(answered / took, cost, p50, p99)


def processor_seconds(process: psutil.Process) -> float:
    """Add up the processor time of a server and of the processes that it started."""
    times = [one.cpu_times() for one in [process, *process.children(recursive=True)]]
    return sum(one.user + one.system for one in times)


def free_port() -> int:
    """Find a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def report(loads: dict[str, list[Load]], own: list[float]) -> None:
    """Print the medians of each case, and ratios against their targets.

    Args:
        loads: What each case got in each turn.
        own: What the model itself took for one sample in each turn, in microseconds.
    """
    print(f"one sample takes the model {statistics.median(own):.0f} us")
    for name, found in loads.items():
        rate, cost, p50, p99 = (
            statistics.median(getattr(one, key) for one in found) for key in KEYS
        )
        print(
            f"{name:<46}{rate:>7,.0f} answers/s  {cost:>7,.0f} us of processor time an answer"
            f"  p50 {p50:>9,.0f} us  p99 {p99:>9,.0f} us"
        )
    rates = {name: [one.rate for one in found] for name, found in loads.items()}
    verdict("requests/s, as shipped / naive", ratio(rates, OURS, NAIVE), at_least=2.5)
    verdict("requests/s, as shipped / constant route", ratio(rates, OURS, CEILING), at_least=0.55)
    costs = {name: [one.cost for one in found] for name, found in loads.items()}
    verdict("per CPU second, with a key / Uvicorn alone", ratio(costs, RAW, KEYED), at_least=0.6)
    verdict("per CPU second, as shipped / naive", ratio(costs, NAIVE, OURS))
    for name in (OURS, NAIVE, BENTOML):
        for clients in CROWDS:
            aim = 0.7 if name != NAIVE else None
            label = f"answers/s, {crowd(name, clients)} / {Case.connections}"
            verdict(label, ratio(rates, crowd(name, clients), name), at_least=aim)
    tails = {name: [one.p99 for one in found] for name, found in loads.items()}
    verdict("p99, as shipped / naive", ratio(tails, OURS, NAIVE), at_most=1)
    over = statistics.median(one.p50 - us for one, us in zip(loads[ALONE], own, strict=True))
    verdict("one connection, us over the model's own time", over, at_most=250)
    if BATCHED in rates:
        gain = ratio(rates, BATCHED, UNBATCHED)
        verdict("slow model, with micro-batching / without", gain, at_least=4)


def main() -> None:
    """Bake, train, export, serve and print the medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", choices=["image", "text", "tabular"], default="image")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of load a turn")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed; it is a package of most systems: apt install wrk")

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        task = options.task
        project, bento = (bake(folder, task, serving) for serving in ("fastapi", "bentoml"))
        run(project, "train", "logger=csv")
        run(project, "export")
        model = project / "models/model.onnx"
        sample = first_sample(project, model, task)
        (folder / "body.json").write_text(json.dumps(sample.request))
        access = importlib.import_module(f"{SLUG}.serving.access")
        key, line = access.make_key("wrk", admin=False)
        keys = folder / "keys.txt"
        keys.write_text(line + "\n")
        asked = Asked((folder / "body.json").read_bytes(), f"Bearer {key}")
        script = folder / "post.lua"
        text = SCRIPT.replace("BODY", str(folder / "body.json"))
        script.write_text(text.replace("AUTHORIZATION", asked.authorization))
        usual = model
        if task == "tabular":
            usual = folder / "trees.joblib"
            fit_trees(project, list(sample.request["rows"][0]), usual)

        ours = [sys.executable, "-m", f"{SLUG}.serving.api"]
        naive = [sys.executable, str(SERVERS / "naive.py"), task, str(usual), "PORT"]
        variables = {"PYTHONPATH": str(project / "src"), "SERVE_MODEL": str(model)}
        cases = {
            OURS: Case(ours, variables),
            NAIVE: Case(naive),
            CEILING: Case(naive, path="constant"),
            RAW: Case([sys.executable, str(SERVERS / "raw.py"), "PORT"]),
            KEYED: Case(ours, {**variables, "SERVE_KEYS_FILE": str(keys)}),
            ALONE: Case(ours, variables, connections=1),
            BENTOML: Case(ours, {**variables, "PYTHONPATH": str(bento / "src")}),
        }
        for name in (OURS, NAIVE, BENTOML):
            for clients in CROWDS:
                cases[crowd(name, clients)] = replace(
                    cases[name], connections=clients, may_refuse=True
                )
        if task == "image":
            cases |= more_cases(folder, ours, variables)

        loads: dict[str, list[Load]] = {name: [] for name in cases}
        own: list[float] = []
        for _ in range(options.turns):
            own.append(model_microseconds(model, sample.inputs))
            for name, case in cases.items():
                loads[name].append(measure(case, script, asked, options.seconds))
    report(loads, own)


if __name__ == "__main__":
    main()
