"""The service's own route for /predict, against FastAPI's usual one: CPU time of a request.

Both are called in this process as a server would call them, with one image as JSON and a model that
costs nothing. So the figures hold neither HTTP parsing nor the network.
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
from pathlib import Path
from typing import Any

import numpy as np
from measure import ratio, show, take_turns

TEMPLATE = Path(__file__).resolve().parents[1]
SLUG = "bench_project"

OURS = "called directly, as shipped"
USUAL = "APIRoute, the body read by FastAPI"


def applications(source: Path) -> tuple[Any, Any]:
    """Import the baked service, and make it once as shipped and once with the usual route."""
    sys.path.insert(0, str(source))
    inputs = importlib.import_module(f"{SLUG}.datasets.inputs")
    classes = importlib.import_module(f"{SLUG}.inference.classes")
    api = importlib.import_module(f"{SLUG}.serving.api")
    settings = importlib.import_module(f"{SLUG}.serving.settings").Settings(log_level="WARNING")

    class Constant:
        """A predictor that answers at once."""

        input_spec = inputs.InputSpec([1, 8, 8])
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
    usual.user_middleware[0].kwargs["direct"] = {}
    usual.router.routes = [r for r in usual.router.routes if r.path != "/predict"]
    usual.add_api_route("/predict", predict, methods=["POST"])
    return api.create_app(Constant(), settings), usual


def microseconds(app: Any, requests: int) -> float:
    """Return the CPU time of a request, in microseconds."""
    body = json.dumps({"images": np.full((1, 1, 8, 8), 123).tolist()}).encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }

    async def ask() -> None:
        statuses = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            statuses.append(message.get("status"))

        await app({**scope, "headers": list(scope["headers"])}, receive, send)
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
        ours, usual = applications(Path(temporary, SLUG, "src"))

        def case(app: Any) -> Callable[[], float]:
            return lambda: microseconds(app, options.requests)

        figures = take_turns({OURS: case(ours), USUAL: case(usual)}, options.turns)
    show(figures, "us of CPU")
    print(f"usual / as shipped: {ratio(figures, USUAL, OURS):.2f}x")


if __name__ == "__main__":
    main()
