"""The HTTP service as a Cloud Function: the same application, given the platform's requests."""

import asyncio
from collections.abc import Callable, Iterable
from functools import cache
from threading import Lock, Thread
from typing import Any

from a2wsgi import ASGIMiddleware
from werkzeug import Request, Response

from .api import load_app
from .log import log_json
from .settings import read_settings

starting = Lock()


def handle(request: Request) -> Response:
    """Answer a request, whatever its path: the entry point that `cloud deploy` names."""
    with starting:
        app = application()
    return Response.from_app(app, request.environ)


@cache
def application() -> Callable[..., Iterable[bytes]]:
    """Start the application on an event loop of its own, which all threads of the server share.

    The first request calls this, not the import: the server forks after its imports, and a fork
    has none of the threads that ran before it.
    """
    log_json(read_settings().log_level)
    app: Any = load_app()
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()
    # Kept, because Python would end the application when it deletes this object
    lifespan = app.state.lifespan = app.router.lifespan_context(app)
    asyncio.run_coroutine_threadsafe(lifespan.__aenter__(), loop).result()
    return ASGIMiddleware(app, loop=loop)
