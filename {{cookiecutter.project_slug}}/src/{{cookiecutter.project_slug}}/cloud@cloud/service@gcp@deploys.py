"""The service in Cloud Run, asked as whoever is logged in."""

import os
import urllib.error
import urllib.request
from functools import partial

from .provider import NAME, place
from .shell import Ask, printed


def connect() -> Ask:
    """Find the service, and get a token for it.

    Raises:
        UserError: A setting is missing, there is no service, or no token.
    """
    url = printed([*describe(), "--format=value(status.url)"])
    token = ["gcloud", "auth", "print-identity-token"]
    # A pipeline is no user: it names its account, which may make tokens for itself
    if account := os.environ.get("GCP_SERVICE_ACCOUNT"):
        token += [f"--impersonate-service-account={account}", f"--audiences={url}"]
    return partial(send, url, printed(token))


def describe() -> list[str]:
    """Return the words that ask Google for the service."""
    return ["gcloud", "run", "services", "describe", NAME, *place()]


def send(url: str, token: str, path: str, body: bytes | None) -> tuple[int, bytes]:
    """Send a request, with a JSON body or none; return the answer's status and body."""
    headers = {"X-Serverless-Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url + path, body, headers)  # noqa: S310 - Google's address
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:  # no connection, as if there were no copy
        return 503, b""
