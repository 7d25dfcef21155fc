"""The service as a function of Lambda, invoked with the events that its API sends."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from .provider import NAME
from .shell import Ask, printed, setting


def connect() -> Ask:
    """Return what asks the function: an identity that may invoke it needs no more."""
    return send


def send(path: str, body: bytes | None) -> tuple[int, bytes]:
    """Send a request, with a JSON body or none; return the answer's status and body.

    Raises:
        UserError: A setting is missing, or the function can't be invoked.
    """
    http = {"method": "POST" if body else "GET", "path": path, "sourceIp": "127.0.0.1"}
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": http},
        "body": body and body.decode(),
        "isBase64Encoded": False,
    }
    function = [f"--region={setting('AWS_REGION')}", f"--function-name={NAME}"]
    with TemporaryDirectory() as folder:
        sent, received = Path(folder, "event.json"), Path(folder, "answer.json")
        sent.write_text(json.dumps(event), "utf-8")
        payload = [f"--payload=fileb://{sent}", str(received)]
        printed(["aws", "lambda", "invoke", *function, *payload])
        answer = json.loads(received.read_text("utf-8"))
    # A function that fails answers with its error, and no status
    return answer.get("statusCode", 500), answer.get("body", "").encode()
