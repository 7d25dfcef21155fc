"""The service's own routes: CPU time of a request.

/predict is compared with FastAPI's usual route, for an image of 8 x 8 as JSON; and with tensors of
the Open Inference Protocol in binary, for an image of 3 x 64 x 64. All are called in this process
as a server would call them, with a model that costs nothing. So the figures hold neither HTTP
parsing nor the network.
"""

import argparse
import asyncio
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measure import ratio, show, take_turns, verdict

TEMPLATE = Path(__file__).resolve().parents[1]
SLUG = "bench_project"

OURS = "called directly, as shipped"
USUAL = "APIRoute, the body read by FastAPI"
JSON = "3 x 64 x 64, as JSON to /predict"
BINARY = "3 x 64 x 64, in binary to /v2"


@dataclass(frozen=True)
class Asked:
    """A request: where to, its headers and its body."""

    path: str
    headers: dict[bytes, bytes]
    body: bytes


def as_json(images: np.ndarray) -> Asked:
    """Ask /predict."""
    body = json.dumps({"images": images.tolist()}).encode()
    return Asked("/predict", {b"content-type": b"application/json"}, body)


def in_binary(images: np.ndarray) -> Asked:
    """Ask in the Open Inference Protocol, as Triton's client does."""
    tensor: dict[str, Any] = {"name": "images", "shape": images.shape, "datatype": "UINT8"}
    tensor["parameters"] = {"binary_data_size": images.nbytes}
    asked = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
    head = json.dumps(asked).encode()
    headers = {b"inference-header-content-length": str(len(head)).encode()}
    return Asked(f"/v2/models/{SLUG}/infer", headers, head + images.tobytes())


def applications(image_shape: list[int]) -> tuple[Any, Any]:
    """Make the baked service, once as shipped and once with the usual route."""
    inputs = importlib.import_module(f"{SLUG}.datasets.inputs")
    classes = importlib.import_module(f"{SLUG}.inference.classes")
    api = importlib.import_module(f"{SLUG}.serving.api")
    settings = importlib.import_module(f"{SLUG}.serving.settings").Settings(log_level="WARNING")

    class Constant:
        """A predictor that answers at once."""

        input_spec = inputs.InputSpec(image_shape)
        target = classes.Classes([])
        version = "0"

        def best(self, samples: Any) -> list[Any]:
            return [classes.Prediction("7", 0.9)] * len(samples)

    usual = api.create_app(Constant(), settings)
    service = api.Service(Constant(), settings)

    async def predict(body: Any) -> Any:
        predictions = await service.batcher.submit(np.array(body.images, np.uint8)).answer
        return service.response_type(predictions=predictions)

    predict.__annotations__ = {"body": service.request_type, "return": service.response_type}
    [direct] = [one for one in usual.user_middleware if one.cls is api.Direct]
    direct.kwargs["endpoints"] = {}
    usual.router.routes = [r for r in usual.router.routes if r.path != "/predict"]
    usual.add_api_route("/predict", predict, methods=["POST"])
    return api.create_app(Constant(), settings), usual


def microseconds(app: Any, requests: int, asked: Asked) -> float:
    """Return the CPU time of a request, in microseconds."""
    scope = {"type": "http", "method": "POST", "path": asked.path, "query_string": b""}
    headers = [*asked.headers.items(), (b"content-length", str(len(asked.body)).encode())]

    async def ask() -> None:
        statuses = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": asked.body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            statuses.append(message.get("status"))

        await app({**scope, "headers": list(headers)}, receive, send)
        if statuses[0] != 200:
            sys.exit(f"the service answered {statuses[0]}")

    async def ask_often() -> float:
        await ask()
        start = time.process_time()
        for _ in range(requests):
            await ask()
        return time.process_time() - start

    return asyncio.run(ask_often()) / requests * 1e6


def main() -> None:
    """Bake a project, take turns and print the medians in microseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--requests", type=int, default=2000, help="in one turn")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        bake = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input"]
        answers = ["--output-dir", temporary, f"project_slug={SLUG}", "tracker=none"]
        subprocess.run([*bake, *answers], check=True, capture_output=True)
        sys.path.insert(0, str(Path(temporary, SLUG, "src")))
        ours, usual = applications([1, 8, 8])
        large, _ = applications([3, 64, 64])
        small = as_json(np.full((1, 1, 8, 8), 123))
        images = np.full((1, 3, 64, 64), 123, np.uint8)

        def case(app: Any, asked: Asked, part: int = 1) -> Callable[[], float]:
            return lambda: microseconds(app, options.requests // part, asked)

        cases = {
            OURS: case(ours, small),
            USUAL: case(usual, small),
            JSON: case(large, as_json(images), part=10),
            BINARY: case(large, in_binary(images)),
        }
        figures = take_turns(cases, options.turns)
    show(figures, "us of CPU")
    print(f"usual / as shipped: {ratio(figures, USUAL, OURS):.2f}x")
    verdict("JSON / binary", ratio(figures, JSON, BINARY), at_least=1.5)


if __name__ == "__main__":
    main()
