"""Uvicorn alone: it reads the body and answers with a constant.

Run as `python raw.py PORT`. This is what the server costs, without a framework, without a check and
without a model.
"""

import sys
from typing import Any

import uvicorn

BODY = b'{"predictions":[]}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer any request."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    options = {"access_log": False, "log_level": "error", "lifespan": "off"}
    uvicorn.run(application, host="127.0.0.1", port=int(sys.argv[1]), **options)
