"""The Cloud Function: requests are answered by the application that `serve` runs."""

import asyncio
{%- if cookiecutter.serving == "fastapi" %}
import logging
import sys
{%- else %}
import os
{%- endif %}
from collections.abc import Callable, Iterable
from functools import cache
{%- if cookiecutter.serving == "bentoml" %}
from tempfile import mkdtemp
{%- endif %}
from threading import Lock, Thread
from typing import Any

from a2wsgi import ASGIMiddleware
from werkzeug import Request, Response
{% if cookiecutter.serving == "fastapi" %}
from ..inference.predictor import Predictor
from .api import create_app
from .request_log import JsonFormatter
from .settings import read_settings
{% endif %}
starting = Lock()


def handle(request: Request) -> Response:
    """Answer a request, whatever its path: the entry point that `cloud deploy` names."""
    with starting:
        app = application()
    return Response.from_app(app, request.environ)


@cache
def application() -> Callable[..., Iterable[bytes]]:
    """Start the application on an event loop of its own, which all threads of the server share.

    The first request does so: the server forks after its imports, and threads would stay behind.
    """
    app = make_app()
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()
    lifespan = app.state.lifespan = app.router.lifespan_context(app)  # it ends when it is collected
    asyncio.run_coroutine_threadsafe(lifespan.__aenter__(), loop).result()
    return ASGIMiddleware(app, loop=loop)


def make_app() -> Any:
    """Load the model and make the application around it."""
{%- if cookiecutter.serving == "fastapi" %}
    settings = read_settings()
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    return create_app(Predictor(settings.model, threads=settings.threads), settings)
{%- else %}
    # What BentoML would write to the home directory, and the counters behind /metrics
    os.environ["BENTOML_HOME"] = os.environ["PROMETHEUS_MULTIPROC_DIR"] = mkdtemp()
    from .bento import service

    return service.to_asgi()
{%- endif %}
