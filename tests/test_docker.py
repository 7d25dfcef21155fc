"""Images: first tests that read the files alone, then real builds and real containers.

The second half runs if a Docker Engine answers (Linux, with compose). PyTorch's CPU build
comes out of the folder that MLBAKE_TORCH names, over HTTP and the Dockerfiles' own build argument.
"""

import functools
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
import yaml
from bakery import Answers, bake, questions, template_files
from docker_engine import missing
from machine import plain_environment
from test_files import SLUGS, texts_of, without_marks
from test_pairwise import run as run_module
from tools import PATIENCE, free_port, wait_until

DOCKERFILES = [
    "dockerfiles/api.dockerfile",
    "dockerfiles/lambda.dockerfile",
    "dockerfiles/proxy.dockerfile",
    "dockerfiles/train.dockerfile",
]
# A user that the images do not know
SOMEBODY = "4242:4242"
HARDENED = [
    "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges",
    f"--user={SOMEBODY}",
]  # fmt: skip
DESCRIPTION = 'Reads "digits" for $5 & \\more\\'
# Every way to install, both frameworks, with and without PyTorch
SERVICES: list[Answers] = [
    {"serving": "fastapi", "onnx_export": True, "environment": "uv"},
    {"serving": "fastapi", "onnx_export": False, "environment": "conda"},
    {"serving": "bentoml", "onnx_export": True, "environment": "conda"},
    {"serving": "bentoml", "onnx_export": False, "environment": "uv"},
]
# The other tasks, whose networks need other packages
TASKS: list[Answers] = [
    {"serving": "fastapi", "onnx_export": True, "task": "text"},
    {"serving": "bentoml", "onnx_export": True, "task": "tabular"},
]

# Without an engine -------------------------------------------------------------------------------


@functools.cache
def texts(*paths: str) -> list[tuple[str, str]]:
    """Return each distinct text of some baked files, with a name for it."""
    names = [name for name in template_files() if without_marks(name) in paths]
    found = texts_of(names, SLUGS[2:3])
    rows = [row for rows in found.values() for row in rows]
    return [(f"{number}-{Path(row.path).name}", row.text) for number, row in enumerate(rows)]


def write(folder: Path, files: Sequence[tuple[str, str]]) -> list[str]:
    for name, text in files:
        (folder / name).write_text(text, encoding="utf-8")
    return [name for name, _ in files]


def tool(folder: Path, *command: str) -> str:
    """Run a tool of this environment; return its objections."""
    program = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [program, *command[1:]], cwd=folder, capture_output=True, check=False, text=True
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_hadolint_has_nothing_to_say(tmp_path: Path) -> None:
    names = write(tmp_path, texts(*DOCKERFILES))
    assert len(names) > 10
    assert tool(tmp_path, "hadolint", *names) == ""


def test_hadolint_would_say_it(tmp_path: Path) -> None:
    write(tmp_path, [("a.dockerfile", "FROM python\nRUN cd /\n")])
    assert "DL3006" in tool(tmp_path, "hadolint", "a.dockerfile")


SCHEMA = ("check-jsonschema", "--builtin-schema", "vendor.compose-spec")


def test_compose_files_fit_their_schema(tmp_path: Path) -> None:
    names = write(tmp_path, texts("compose.yaml"))
    assert len(names) > 5
    assert tool(tmp_path, *SCHEMA, *names) == ""


def test_the_schema_finds_a_misspelt_key(tmp_path: Path) -> None:
    write(tmp_path, [("compose.yaml", "services:\n  a:\n    image: b\n    read_olny: true\n")])
    assert "read_olny" in tool(tmp_path, *SCHEMA, "compose.yaml")


def test_every_service_is_as_tight_as_the_next() -> None:
    for name, text in texts("compose.yaml"):
        for service in yaml.safe_load(text)["services"].values():
            assert service["read_only"], name
            assert service["tmpfs"] == ["/tmp"], name  # noqa: S108
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name
            assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_no_stage_but_the_first_builds_and_none_holds_a_secret() -> None:
    for name, text in texts(*DOCKERFILES):
        *_, final = re.split(r"^FROM ", text, flags=re.MULTILINE)
        for argument, default in re.findall(r"^ARG (\w+)=(\S+)$", final, re.MULTILINE):
            final = final.replace(f"${argument}", default)
        tools, program = r"apt-get|\buv\b|pip install|--mount=type=(?!tmpfs)", '"python", "-m"'
        if "proxy" in name:  # it has one stage, which installs nginx
            tools, program = r"\buv\b|pip install|--mount=type=", '"nginx"'
        assert not re.search(tools, final), name
        assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", final, re.MULTILINE), name
        assert re.search(rf"^ENTRYPOINT \[{program}", final, re.MULTILINE), name
        assert not re.search(r"key|token|password|secret", text, re.IGNORECASE), name


# With an engine ----------------------------------------------------------------------------------


def docker(
    *command: str,
    cwd: Path | None = None,
    check: bool = True,
    errors: bool = False,
    **variables: str,
) -> str:
    """Run docker and return its output, on request with the errors among it: for messages."""
    done = subprocess.run(
        ["docker", *command],
        cwd=cwd,
        check=False,
        env=plain_environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if errors else subprocess.PIPE,
        text=True,
    )
    everything = f"docker {' '.join(command)}\n{done.stdout}{done.stderr or ''}"
    assert not check or done.returncode == 0, everything
    return done.stdout.strip()


@pytest.fixture(scope="session")
def index(torch_index: Path) -> Iterator[str]:
    """Serve the CPU build of PyTorch at an address that builds can reach; return the address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(torch_index))
    # The same port in each session: a layer is cached for the address, too
    port = 18100 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    server = ThreadingHTTPServer(("0.0.0.0", port), handler)  # noqa: S104 - one public wheel
    threading.Thread(target=server.serve_forever, daemon=True).start()
    networks = json.loads(docker("network", "inspect", "bridge"))
    yield f"http://{networks[0]['IPAM']['Config'][0]['Gateway']}:{port}"
    server.shutdown()


def prepare(folder: Path, **answers: Any) -> Path:
    """Bake a project for this Python, which the CPU build is for."""
    version = f"3.{sys.version_info.minor}"
    assert version in questions()["python_version"]
    given = {"project_slug": "quartz_reader", "python_version": version, "tracker": "none"}
    return bake({**given, **answers}, folder).path


@dataclass(frozen=True)
class Trained:
    """What every image of a task is tested with.

    Attributes:
        models: The folder that holds the checkpoint and the exported model.
        body: A request for nine samples, as JSON.
    """

    models: Path
    body: str


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Trained]:
    """Return what trains and exports, once for each task."""

    @functools.cache
    def train(task: str) -> Trained:
        project = prepare(tmp_path_factory.mktemp("trained"), task=task)
        run_module(project, "quartz_reader", "train", "trainer.max_epochs=3")
        run_module(project, "quartz_reader", "export")
        (project / "body.py").write_text(
            "import json, sys\nsys.path.insert(0, 'tests')\nimport example\n"
            "print(json.dumps(example.request(example.random_inputs(9))))\n",
            encoding="utf-8",
        )
        return Trained(project / "models", run_module(project, "body"))

    return train


@pytest.fixture(scope="session")
def models(trained: Callable[[str], Trained]) -> Path:
    """Return the models for images."""
    return trained("image").models


@pytest.fixture(scope="session")
def body(trained: Callable[[str], Trained]) -> str:
    """Return a request with images."""
    return trained("image").body


def build(project: Path, name: str, *options: str) -> str:
    """Build one of a project's images and return its tag."""
    tag = f"mlbake-test-{name}-{os.getpid()}"
    docker("build", "--file", f"dockerfiles/{name}.dockerfile", "--tag", tag, *options, ".",
           cwd=project)  # fmt: skip
    return tag


@contextmanager
def image(project: Path, name: str, *options: str) -> Iterator[str]:
    tag = build(project, name, *options)
    try:
        yield tag
    finally:
        docker("image", "rm", "--force", tag)


def inside(tag: str, *command: str, check: bool = True, errors: bool = False) -> str:
    """Run a command in a new container and return its output."""
    return docker("run", "--rm", *HARDENED, "--entrypoint", command[0], tag, *command[1:],
                  check=check, errors=errors)  # fmt: skip


def logs(name: str) -> str:
    """Return the output and the errors of a container."""
    return docker("logs", name, errors=True)


@contextmanager
def container(tag: str, *options: str, command: Sequence[str] = ()) -> Iterator[str]:
    """Start a container, and remove it afterwards."""
    name = docker("run", "--detach", *HARDENED, *options, tag, *command)
    try:
        yield name
    finally:
        docker("rm", "--force", "--volumes", name)


def state(name: str) -> dict[str, Any]:
    return json.loads(docker("inspect", name))[0]["State"]


def ended(name: str) -> str:
    """Return the logs of a container that ended, or nothing while it runs."""
    return "" if state(name)["Running"] else f"it ended\n{logs(name)}"


def stop(name: str) -> int:
    """Stop a container and return its exit code, 137 if it doesn't stop by itself."""
    docker("stop", "--time", "60", name)
    return state(name)["ExitCode"]


def wait_until_healthy(name: str) -> None:
    wait_until(lambda: state(name)["Health"]["Status"] == "healthy", lambda: ended(name))


def fetch(port: str, path: str, body: bytes | None = None) -> Any:
    """Ask a server on this machine for JSON."""
    connection = http.client.HTTPConnection("localhost", int(port), timeout=PATIENCE)
    headers = {"Content-Type": "application/json"}
    connection.request("POST" if body else "GET", path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status == 200, text
    return json.loads(text)


def ask(port: str, body: str) -> list[dict[str, Any]]:
    """Send a request to a service."""
    return fetch(port, "/predict", body.encode())["predictions"]


def predict(project: Path, model: Path, body: str) -> list[dict[str, Any]]:
    """Let the project's Predictor classify what a request holds, outside any container."""
    script = project / "ask_predictor.py"
    script.write_text(
        "import json, sys\n"
        "from quartz_reader.inference.predictor import Predictor\n"
        "from quartz_reader.serving.requests import request_type, to_inputs\n"
        "from quartz_reader.serving.settings import Settings\n"
        "predictor = Predictor(sys.argv[1])\n"
        "spec = predictor.input_spec\n"
        "asked = request_type(spec, Settings()).model_validate_json(sys.argv[2])\n"
        "rows = predictor.best(to_inputs(asked, spec))\n"
        "print(json.dumps([{'label': r.label, 'probability': r.probability} for r in rows]))\n",
        encoding="utf-8",
    )
    return json.loads(run_module(project, "ask_predictor", str(model), body))


def equal(answers: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert [row["label"] for row in answers] == [row["label"] for row in expected]
    assert [row["probability"] for row in answers] == pytest.approx(
        [row["probability"] for row in expected], abs=1e-5
    )


def title(answers: Answers) -> str:
    return "-".join(str(value) for value in answers.values())


@pytest.mark.docker
@pytest.mark.parametrize("answers", SERVICES + TASKS, ids=title)
def test_a_service(
    answers: Answers,
    index: str,
    trained: Callable[[str], Trained],
    tmp_path: Path,
    record_property: Any,
) -> None:
    """Built without a lock file; a user unknown to it starts, asks and stops it, read-only."""
    project = prepare(tmp_path, description=DESCRIPTION, **answers)
    onnx, task = answers["onnx_export"], answers.get("task", "image")
    model = trained(task).models / ("model.onnx" if onnx else "model.ckpt")
    (project / "models").mkdir()
    shutil.copy(model, project / "models")
    arguments = ["--build-arg", "SOURCE_COMMIT=abc"]
    arguments += [] if onnx else ["--build-arg", f"TORCH_INDEX={index}"]
    started = time.monotonic()
    with image(project, "api", *arguments) as tag:
        seconds = time.monotonic() - started
        built = json.loads(docker("image", "inspect", tag))[0]
        size = built["Size"] / 1e6
        record_property("measured", f"api, {title(answers)}: {size:.0f} MB in {seconds:.0f} s")
        labels = built["Config"]["Labels"]
        assert labels["org.opencontainers.image.description"] == DESCRIPTION
        assert labels["org.opencontainers.image.revision"] == "abc"
        found = inside(tag, "python", "-c", "import torch", check=False, errors=True)
        assert ("No module named 'torch'" in found) == onnx, found
        assert inside(tag, "sh", "-c", "command -v cc gcc make uv git curl", check=False) == ""
        if onnx:
            assert size < (330 if task == "text" else 320)
        with container(tag, "--publish=127.0.0.1::8000") as name:
            wait_until_healthy(name)
            port = docker("port", name, "8000").rpartition(":")[2]
            body = trained(task).body
            equal(ask(port, body), predict(project, model, body))
            assert stop(name) == 0, logs(name)
        gone = f"gone{model.suffix}"
        with container(tag, f"--env=SERVE_MODEL={gone}") as name:
            assert docker("wait", name) == "2"
            assert logs(name).startswith(f"Error: {gone}: ")


class RuntimeApi(BaseHTTPRequestHandler):
    """The server that gives a Lambda function its events, one by one, and takes its answers."""

    protocol_version = "HTTP/1.1"
    events: Queue[dict[str, Any]]
    answers: Queue[tuple[str, Any]]

    def do_GET(self) -> None:
        self.reply(200, json.dumps(self.events.get()).encode())

    def do_POST(self) -> None:
        body = b""
        if length := self.headers["Content-Length"]:
            body = self.rfile.read(int(length))
        else:
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        self.answers.put((self.path.rpartition("/")[2], json.loads(body)))
        self.reply(202, b"{}")

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.send_header("Lambda-Runtime-Aws-Request-Id", "1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def http_event(method: str, path: str, body: str = "") -> dict[str, Any]:
    """Make the event that an HTTP API sends for a request."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "api.test"},
        "requestContext": {"http": {"method": method, "path": path, "sourceIp": "192.0.2.1"}},
        "body": body,
        "isBase64Encoded": False,
    }


@pytest.mark.docker
@pytest.mark.parametrize("answers", SERVICES, ids=title)
def test_a_function(
    answers: Answers, index: str, models: Path, body: str, tmp_path: Path, record_property: Any
) -> None:
    """A Lambda image, given its events by a Runtime API on this machine."""
    project = prepare(tmp_path, cloud="aws", **answers)
    onnx = answers["onnx_export"]
    model = models / ("model.onnx" if onnx else "model.ckpt")
    (project / "models").mkdir()
    shutil.copy(model, project / "models")
    # As `cloud deploy` builds it
    arguments = ["--platform=linux/amd64", "--provenance=false", "--sbom=false"]
    arguments += [] if onnx else ["--build-arg", f"TORCH_INDEX={index}"]

    class Runtime(RuntimeApi):
        """With queues of its own, for which no stopped function is still waiting."""

        events = Queue()
        answers = Queue()

    with (
        image(project, "lambda", *arguments) as tag,
        ThreadingHTTPServer(("127.0.0.1", 0), Runtime) as api,
    ):
        size = json.loads(docker("image", "inspect", tag))[0]["Size"] / 1e6
        record_property("measured", f"lambda, {title(answers)}: {size:.0f} MB")
        threading.Thread(target=api.serve_forever, daemon=True).start()
        variable = f"--env=AWS_LAMBDA_RUNTIME_API=127.0.0.1:{api.server_port}"
        with container(tag, "--network=host", variable) as name:

            def ask_function(*request: str) -> tuple[int, Any]:
                Runtime.events.put(http_event(*request))
                wait_until(lambda: not Runtime.answers.empty(), lambda: ended(name))
                kind, answer = Runtime.answers.get()
                assert kind == "response", logs(name)
                return answer["statusCode"], answer["body"]

            assert ask_function("GET", "/readyz")[0] == 200
            status, answer = ask_function("POST", "/predict", body)
            assert status == 200, answer
            equal(json.loads(answer)["predictions"], predict(project, model, body))
            assert ask_function("POST", "/predict", "not json")[0] == 422
        api.shutdown()


OLDER = {"pillow": "11.3.0"}


def lock(project: Path, index: str) -> None:
    """Make a lock file that names another release than the newest."""
    wanted = [f"--upgrade-package={name}=={version}" for name, version in OLDER.items()]
    run_module(project, "uv", "lock", "--quiet", f"--index=pytorch-cpu={index}", *wanted)


def holds_older(tag: str) -> None:
    script = "from importlib.metadata import version; print(version('pillow'))"
    assert inside(tag, "python", "-c", script) == OLDER["pillow"]


@pytest.mark.docker
def test_a_lock_file_decides_what_a_service_holds(index: str, models: Path, tmp_path: Path) -> None:
    project = prepare(tmp_path)
    shutil.copytree(models, project / "models")
    lock(project, index)
    with image(project, "api") as tag:
        holds_older(tag)


@pytest.mark.docker
@pytest.mark.parametrize("onnx_export", [True, False])
def test_without_a_model_the_build_says_what_is_missing(onnx_export: bool, tmp_path: Path) -> None:
    project = prepare(tmp_path, onnx_export=onnx_export)
    with pytest.raises(AssertionError) as error:
        build(project, "api")
    said = str(error.value)
    assert f"models/model.{'onnx' if onnx_export else 'ckpt'}" in said
    assert "not found" in said
    assert f"`quartz_reader {'export' if onnx_export else 'train'}` write" in said


def mounts(folder: Path) -> list[str]:
    """Make the folders that training writes to, for a user that the image does not know."""
    options = []
    for name in ("data", "models", "outputs"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name).chmod(0o777)
        options.append(f"--volume={folder / name}:/app/{name}")
    return options


def checkpoint(folder: Path) -> str | None:
    """Return the commit whose source trained the model, which the unknown user wrote."""
    path = folder / "models" / "model.ckpt"
    assert f"{path.stat().st_uid}:{path.stat().st_gid}" == SOMEBODY
    script = "import sys, torch; print(torch.load(sys.argv[1], weights_only=True)['commit'])"
    command = [sys.executable, "-c", script, str(path)]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


@pytest.mark.docker
@pytest.mark.parametrize(
    ("tracker", "environment", "locked"), [("wandb", "uv", True), ("comet", "conda", False)]
)
def test_training(
    tracker: str,
    environment: str,
    locked: bool,
    index: str,
    tmp_path: Path,
    record_property: Any,
) -> None:
    """Offline, it writes its checkpoint to the mounted folder; stopped, also its last state."""
    project = prepare(tmp_path, tracker=tracker, environment=environment, description=DESCRIPTION)
    if locked:
        lock(project, index)
    arguments = ("--build-arg", f"TORCH_INDEX={index}", "--build-arg", "SOURCE_COMMIT=abc")
    started = time.monotonic()
    with image(project, "train", *arguments) as tag:
        seconds = time.monotonic() - started
        built = json.loads(docker("image", "inspect", tag))[0]
        size = f"{built['Size'] / 1e6:.0f} MB in {seconds:.0f} s"
        record_property("measured", f"train, {tracker} and {environment}: {size}")
        assert built["Config"]["Labels"]["org.opencontainers.image.description"] == DESCRIPTION
        assert inside(tag, "sh", "-c", "command -v cc gcc make uv git curl", check=False) == ""
        if locked:
            holds_older(tag)
        options = ["--network=none", *mounts(tmp_path)]
        said = docker("run", "--rm", *HARDENED, *options, tag, "trainer.max_epochs=2", errors=True)
        assert "Best checkpoint: models/model.ckpt" in said
        assert "WARNING" not in said
        assert checkpoint(tmp_path) == "abc"

        with container(tag, *options, command=["trainer.max_epochs=100000"]) as name:
            wait_until(lambda: "epoch 3/" in logs(name), lambda: ended(name))
            code = stop(name)
            said = logs(name)
        assert code == 130, said
        (last,) = re.findall(r" train .*resume=/app/(\S+last\.ckpt)", said)
        assert (tmp_path / last).is_file()

        with container(tag, *options) as name:  # nothing but Python itself has started
            time.sleep(0.5)
            assert stop(name) != 137, logs(name)


@pytest.mark.docker
def test_compose_reads_every_file(tmp_path: Path) -> None:
    for name in write(tmp_path, texts("compose.yaml")):
        docker("compose", "--file", name, "--profile", "*", "config", "--quiet", cwd=tmp_path)


@pytest.mark.docker
def test_compose(index: str, models: Path, body: str, tmp_path: Path) -> None:
    """A service, an MLflow server, and a training that logs to the server."""
    project = prepare(tmp_path, tracker="mlflow")
    mounts(project)
    shutil.copy(models / "model.onnx", project / "models")
    api, mlflow = str(free_port()), str(free_port())
    compose = functools.partial(
        docker, "compose", cwd=project,
        TORCH_INDEX=index, API_PORT=api, MLFLOW_PORT=mlflow, COMPOSE_PROJECT_NAME="mlbake-test",
    )  # fmt: skip
    compose("config", "--quiet")
    try:
        compose("build", "api", "mlflow")
        compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", str(PATIENCE))
        equal(ask(api, body), predict(project, models / "model.onnx", body))

        train = ["--rm", f"--user={SOMEBODY}", "train", "trainer.max_epochs=2"]
        said = compose("run", *train, errors=True)
        assert "MLflow registered quartz_reader version 1 as candidate" in said
        assert checkpoint(project) == "None"
        (model,) = fetch(mlflow, "/api/2.0/mlflow/registered-models/search")["registered_models"]
        assert model["name"] == "quartz_reader"
        run = model["latest_versions"][0]["run_id"]
        listing = fetch(mlflow, f"/api/2.0/mlflow/artifacts/list?run_id={run}&path=model")
        assert [file["path"] for file in listing["files"]] == ["model/model.ckpt"]

        # Without the server, MLflow's own files are among the outputs
        folders = mounts(tmp_path)
        alone = ["--rm", "--network=none", *HARDENED, *folders, "quartz_reader-train"]
        said = docker("run", *alone, "trainer.max_epochs=1", errors=True)
        assert "Best checkpoint: models/model.ckpt" in said
        assert "WARNING" not in said
        assert (tmp_path / "outputs" / "mlflow.db").is_file()
    finally:
        compose("down", "--volumes", "--timeout", "10", check=False)
        docker("image", "rm", "--force", "quartz_reader-api", "quartz_reader-train", check=False)


@pytest.mark.docker
def test_compose_puts_a_proxy_before_the_service(models: Path, body: str, tmp_path: Path) -> None:
    project = prepare(tmp_path)
    (project / "models").mkdir()
    shutil.copy(models / "model.onnx", project / "models")
    proxy = str(free_port())
    compose = functools.partial(
        docker, "compose", "--profile", "proxy", cwd=project,
        API_PORT=str(free_port()), PROXY_PORT=proxy, COMPOSE_PROJECT_NAME="mlbake-proxy",
    )  # fmt: skip
    try:
        up = ["--build", "--detach", "--wait", "--wait-timeout", str(PATIENCE)]
        compose("up", *up, "proxy")
        equal(ask(proxy, body), predict(project, models / "model.onnx", body))
        lines = map(json.loads, logs(compose("ps", "--quiet", "api")).splitlines())
        [asked] = [line for line in lines if line.get("path") == "/predict"]
        [network] = json.loads(docker("network", "inspect", "mlbake-proxy_default"))
        # This machine, and not the proxy, is the client
        assert asked["client"] == network["IPAM"]["Config"][0]["Gateway"]
    finally:
        compose("down", "--volumes", "--timeout", "10", check=False)
        docker("image", "rm", "--force", "quartz_reader-api", "quartz_reader-proxy", check=False)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert missing.__wrapped__() == "there is no docker command"
