"""The service, on a real socket: what it answers, what it refuses, and how it stops."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import httpx2
import numpy as np
import pytest
import uvicorn
from PIL import Image

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor
from {{ cookiecutter.project_slug }}.serving import bento
from {{ cookiecutter.project_slug }}.serving.settings import Settings

SOURCE = Path(sys.modules[UserError.__module__].__file__).parents[1]
LARGEST = 200_000


class SlowPredictor(Predictor):
    """Answers only while the test lets it, and counts how often."""

    def __init__(self, path):
        super().__init__(path)
        self.may_run = threading.Event()
        self.calls = 0

    def probabilities(self, images):
        assert self.may_run.wait(20)
        self.calls += 1
        return super().probabilities(images)


@contextmanager
def running(predictor, **settings):
    """Serve in a thread of this process, and yield a client."""
    settings = Settings(max_body=LARGEST, **settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bento, "settings", settings)
        patch.setattr(bento, "load", lambda: predictor)
        bento.request_type.cache_clear()
        # Counters can be registered only once in a process
        patch.setitem(bento.service.config, "metrics", {"enabled": False})
        for endpoint in bento.service.apis.values():
            patch.setattr(endpoint, "max_batch_size", max(2, settings.max_batch))
            patch.setattr(endpoint, "max_latency_ms", int(settings.timeout * 1000))
        server = uvicorn.Server(uvicorn.Config(bento.service.to_asgi(), log_config=None))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=server.run, args=([listener],))
            thread.start()
            host, port = listener.getsockname()
            with httpx2.Client(base_url=f"http://{host}:{port}", timeout=20) as client:
                while not server.started:
                    time.sleep(0.01)
                client.server = server
                yield client
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def client(model):
    with running(Predictor(model)) as client:
        until_ready(client)
        yield client


@pytest.fixture
def slow(model):
    predictor = SlowPredictor(model)
    yield predictor
    predictor.may_run.set()


@pytest.fixture(scope="module")
def images(trained):
    return np.load(trained / "data/processed/digits/test_images.npy")


@pytest.fixture(scope="module")
def sample(trained):
    return (trained / "data/processed/digits/samples/7.png").read_bytes()


def until_ready(client):
    for _ in range(2000):
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx2.TransportError:  # it does not listen yet
            pass
        time.sleep(0.01)
    raise TimeoutError


def payload(images):
    return {"images": images.tolist()}


def upload(client, content, name="picture.png"):
    return client.post("/predict/file", files={"file": (name, content)})


def test_a_batch_is_answered_like_the_predictor_does(client, model, images):
    answer = client.post("/predict", json=payload(images[:20]))
    assert answer.status_code == 200
    expected = Predictor(model).classify(images[:20])
    predictions = answer.json()["predictions"]
    assert [row["label"] for row in predictions] == [one.label for one in expected]
    for row, one in zip(predictions, expected, strict=True):
        assert row["probability"] == pytest.approx(one.probability, rel=1e-4)


def test_concurrent_requests_get_their_own_answers(client, model, images):
    expected = Predictor(model).classify(images)

    def ask(number):
        size = 1 + number % 3
        answer = client.post("/predict", json=payload(images[number : number + size]))
        return [row["label"] for row in answer.json()["predictions"]]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(300)))
    for number, labels in enumerate(answers):
        size = 1 + number % 3
        assert labels == [one.label for one in expected[number : number + size]]


def test_requests_that_wait_share_a_call_of_the_model(slow, sample, images):
    with running(slow) as client, ThreadPoolExecutor(32) as pool:
        futures = [
            *(pool.submit(client.post, "/predict", json=payload(images[:2])) for _ in range(16)),
            *(pool.submit(upload, client, sample) for _ in range(16)),
        ]
        time.sleep(0.5)
        slow.may_run.set()
        assert {future.result().status_code for future in futures} == {200}
    assert 2 < slow.calls < 10  # one of them warms up


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "L"), ("PNG", "RGBA"), ("JPEG", "RGB")])
def test_an_upload_is_answered_like_the_file(client, model, sample, tmp_path, kind, mode):
    path = tmp_path / f"picture.{kind.lower()}"
    Image.open(BytesIO(sample)).resize((64, 64)).convert(mode).save(path)
    answer = upload(client, path.read_bytes(), path.name)
    assert answer.status_code == 200
    assert answer.json()["label"] == Predictor(model).predict_files([path])[0].label == "7"


def test_the_model_is_described(client, model):
    answer = client.get("/model").json()
    assert answer["version"] == Predictor(model).version
    assert answer["classes"] == list("0123456789")
    assert answer["image_shape"] == [1, 8, 8]
    assert answer["metrics"]["accuracy"] > 0.9
    assert answer["commit"] is None


def changed(value, position=(0, 0, 3, 2)):
    image = np.zeros((1, 1, 8, 8), int).tolist()
    inner = image
    for index in position[:-1]:
        inner = inner[index]
    inner[position[-1]] = value
    return {"images": image}


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        (changed(256), ["images", 0, 0, 3, 2], "less than or equal to 255"),
        (changed("7"), ["images", 0, 0, 3, 2], ""),
        (changed([1, 2, 3], (0, 0, 5)), ["images", 0, 0, 5], "at least 8 items"),
        ({"images": []}, ["images"], "at least 1 item"),
        (payload(np.zeros((65, 1, 8, 8), int)), ["images"], "at most 64 items"),
        ({"pictures": []}, ["images"], "required"),
        ("not json", [], "JSON"),
    ],
)
def test_what_is_wrong_is_named(client, content, place, reason):
    body = content if isinstance(content, str) else json.dumps(content)
    answer = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == place
    assert reason in answer.json()["detail"][0]["msg"]


def test_many_mistakes_are_not_all_listed(client):
    answer = client.post("/predict", json=payload(np.full((64, 1, 8, 8), 256)))
    assert len(answer.json()["detail"]) == 10


def test_a_body_of_another_type_is_refused(client):
    assert client.post("/predict", data={"images": "1"}).status_code == 415
    form = {"content-type": "multipart/form-data"}
    assert client.post("/predict/file", content=b"no boundary", headers=form).status_code == 400
    answer = client.post("/predict/file", data={"file": "no upload"})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["file"])


def test_what_is_no_picture_is_refused(client, sample):
    gif = BytesIO()
    Image.new("L", (8, 8)).save(gif, "GIF")
    for content in (b"", b"not a picture", gif.getvalue()):
        assert upload(client, content).status_code == 415
    answer = upload(client, sample[:-30])
    assert answer.status_code == 400
    assert "picture" in answer.json()["detail"]


def test_a_small_file_that_holds_a_huge_picture_is_refused(client):
    for side in (5_000, 20_000):  # Pillow itself stops the second
        bomb = BytesIO()
        Image.new("1", (side, side)).save(bomb, "PNG")
        assert len(bomb.getvalue()) < LARGEST
        assert upload(client, bomb.getvalue()).status_code == 400


@pytest.mark.parametrize("length_is_told", [True, False])
def test_a_body_that_is_too_large_is_refused(client, length_is_told):
    body = b" " * (LARGEST + 1)
    headers = {"content-type": "application/json"}
    content = body if length_is_told else iter([body[:1000], body[1000:]])
    assert client.post("/predict", content=content, headers=headers).status_code == 413
    assert upload(client, body).status_code == 413
    assert client.get("/livez").status_code == 200


def test_it_is_ready_when_the_model_has_answered(slow):
    with running(slow) as client:
        assert client.get("/readyz").status_code == 503
        assert client.get("/livez").status_code == 200  # the event loop is free
        slow.may_run.set()
        until_ready(client)


def test_overload_is_answered_with_503_and_passes(slow, images):
    with running(slow, max_queue=4) as client, ThreadPoolExecutor(30) as pool:
        body = payload(images[:1])
        futures = [pool.submit(client.post, "/predict", json=body) for _ in range(30)]
        while sum(future.done() for future in futures) < 26:
            time.sleep(0.01)
        slow.may_run.set()
        answers = [future.result() for future in futures]
        assert sorted(answer.status_code for answer in answers) == [200] * 4 + [503] * 26
        assert {a.headers.get("retry-after") for a in answers if a.is_error} == {"1"}
        for _ in range(5):
            assert client.post("/predict", json=body).status_code == 200


def test_what_takes_too_long_is_given_up(slow, images):
    with running(slow, timeout=1, max_queue=1) as client:
        answer = client.post("/predict", json=payload(images[:1]))
        assert answer.status_code == 504
        assert "1 s" in answer.json()["detail"]
        slow.may_run.set()
        until_ready(client)
        assert client.post("/predict", json=payload(images[:1])).status_code == 200


def test_an_error_of_the_model_is_a_500_and_not_the_end(model, images):
    predictor = Predictor(model)
    with running(predictor) as client:
        until_ready(client)
        predictor.probabilities = lambda images: 1 / 0
        assert client.post("/predict", json=payload(images[:1])).status_code == 500
        del predictor.probabilities
        assert client.post("/predict", json=payload(images[:1])).status_code == 200


def test_the_documented_example_works_when_pasted(client):
    schemas = client.get("/docs.json").json()["components"]["schemas"]
    example = {"images": schemas["PredictRequest"]["properties"]["images"]["examples"][0]}
    assert client.post("/predict", json=example).status_code == 200


@pytest.mark.parametrize(
    "chosen",
    [
        ["--exclude-path=/predict/file"],
        # The document can't say which bytes are a picture, so that any are drawn
        ["--include-path=/predict/file", "--exclude-checks=positive_data_acceptance"],
    ],
)
def test_the_service_keeps_to_its_document(client, chosen):
    command = [sys.executable, "-m", "schemathesis.cli", "run", "--max-examples=25", "--seed=0"]
    done = subprocess.run(
        [*command, *chosen, f"{client.base_url}/docs.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def start(*command, stdout=subprocess.PIPE, **variables):
    """Start a command in a process of its own, as a user does."""
    environment = {name: str(value) for name, value in variables.items()}
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        env=os.environ | {"PYTHONPATH": str(SOURCE), **environment},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_stopping_answers_what_was_accepted(slow, images):
    with running(slow) as client, ThreadPoolExecutor(8) as pool:
        body = payload(images[:1])
        futures = [pool.submit(client.post, "/predict", json=body) for _ in range(8)]
        time.sleep(0.5)
        client.server.should_exit = True
        time.sleep(0.5)
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{client.base_url}/livez")
        slow.may_run.set()
        assert [future.result().status_code for future in futures] == [200] * 8


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to handle")
def test_the_process_answers_all_it_accepted_on_sigterm(model, port, images, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    settings = {"SERVE_MODEL": model, "SERVE_PORT": port, "HOME": home, "TMPDIR": home}
    with Path("log").open("w") as log:  # a pipe that nobody reads would soon stop the service
        process = start("{{ cookiecutter.project_slug }}.serving.service", stdout=log, **settings)
    answers = []

    def ask_until_it_stops():
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            while True:
                try:
                    answers.append(client.post("/predict", json=payload(images[:1])).status_code)
                except httpx2.TransportError:  # it does not listen any more
                    return

    with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
        until_ready(client)
        with ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(ask_until_it_stops) for _ in range(8)]
            time.sleep(1)
            assert 'endpoint="/predict"' in client.get("/metrics").text
            page = client.get("/").text
            assert "://" not in page
            for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
                assert f"static_content/{name}" in page
                assert client.get(f"/static_content/{name}").status_code == 200
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=10)
            for future in futures:
                future.result()
    assert (process.returncode, errors) == (0, "")
    assert len(answers) > 50
    assert set(answers) == {200}
    assert Path("log").read_text().count("path=/predict,") == len(answers)
    assert list(home.iterdir()) == []
{%- if cookiecutter.onnx_export %}


def test_serving_imports_no_pytorch(model):
    code = """\
import sys
from {{ cookiecutter.project_slug }}.serving.bento import load
load()
sys.exit("torch" in sys.modules)"""
    environment = os.environ | {"PYTHONPATH": str(SOURCE), "SERVE_MODEL": str(model)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
{%- endif %}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "models/model"),
        ({"SERVE_PORT": "many"}, "SERVE_PORT=many"),
        ({"SERVE_MAX_QUEUE": 0}, "SERVE_MAX_QUEUE=0"),
    ],
)
def test_wrong_settings_are_named_in_one_line(settings, named):
    process = start("{{ cookiecutter.project_slug }}.serving.service", **settings)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, len(errors.splitlines())) == (2, "", 1)
    assert named in errors.replace("\\", "/")


def test_a_port_that_is_taken_is_named(model, client):
    taken = client.base_url.port
    settings = {"SERVE_MODEL": model, "SERVE_PORT": taken}
    process = start("{{ cookiecutter.project_slug }}.serving.service", **settings)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, len(errors.splitlines())) == (2, "", 1)
    assert str(taken) in errors


def test_what_bentoml_packs_is_what_is_served(model, port, sample, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(SOURCE, project / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(model.parent, project / "models")
    shutil.copy(SOURCE.parent / "bentofile.yaml", project)
    variables = {"BENTOML_HOME": tmp_path / "bentos", "BENTOML_DO_NOT_TRACK": True}
    build = start("bentoml", "build", "--output=tag", project, **variables)
    output, errors = build.communicate(timeout=60)
    assert (build.returncode, errors) == (0, "")
    tag = output.split("__tag__:")[1].strip()
    serve = start("bentoml", "serve", tag, f"--port={port}", PYTHONPATH="", **variables)
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
        until_ready(client)
        assert client.get("/model").json()["version"] == Predictor(model).version
        assert upload(client, sample).json()["label"] == "7"
    serve.terminate()
    serve.communicate(timeout=10)


def test_bentoml_installs_what_the_group_serve_names():
    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text("utf-8"))
    groups = project["dependency-groups"]
    served = [name for name in groups["serve"] if isinstance(name, str)]
    lines = (SOURCE.parent / "bentofile.yaml").read_text("utf-8").splitlines()
    packed = [line[6:] for line in lines if line.startswith("    - ")]
    assert packed == [*groups["inference"], *served]
