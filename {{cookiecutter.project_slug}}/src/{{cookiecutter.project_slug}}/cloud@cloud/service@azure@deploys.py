"""The service in Container Apps, asked from this machine's address."""

import urllib.error
import urllib.request
from functools import partial

from .provider import GROUP
from .shell import Ask, printed, setting


def connect() -> Ask:
    """Find the service.

    Raises:
        UserError: A setting is missing, or there is no service.
    """
    show = [
        *["az", "containerapp", "show", f"--subscription={setting('AZURE_SUBSCRIPTION_ID')}"],
        *[f"--resource-group={GROUP}", "--name=api"],
        *["--query=properties.configuration.ingress.fqdn", "--output=tsv"],
    ]
    return partial(send, printed(show))


def send(host: str, path: str, body: bytes | None) -> tuple[int, bytes]:
    """Send a request, with a JSON body or none; return the answer's status and body."""
    if ".internal." in host:  # only apps beside it reach it
        return 403, b""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"https://{host}{path}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - Azure's address
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:  # no connection, as if there were no copy
        return 503, b""
