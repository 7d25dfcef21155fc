"""Who may use the service: the keys of its clients, how often each may ask, and by which names."""

import hashlib
import hmac
import logging
import math
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from .. import UserError
from .request_log import Refused, RequestLog
from .settings import Settings

log = logging.getLogger(__name__)

# A platform asks these by an address, and without a key
PROBES = {"/livez", "/readyz", "/v2/health/live", "/v2/health/ready"}
# Browsers have no key for these
PAGES = re.compile(r"/|/docs(\.json)?|/openapi\.json|/static(_content)?/.*")
LARGEST_FILE = 1_000_000  # bytes of the file of keys
LINE = re.compile(r"(?P<name>[\w.@-]{1,64}) +(?P<digest>[0-9a-f]{64})(?P<admin> +admin)?")
# Headers that a page in a browser may send, and those that it may read
SENT = ["authorization", "content-type", "inference-header-content-length", "x-request-id"]
SHOWN = ["inference-header-content-length", "retry-after", "x-model-version", "x-request-id"]


@dataclass
class Client:
    """A client of the service, by its key.

    Attributes:
        name: Stands in the log.
        digest: SHA-256 of the key, 32 bytes.
        admin: Whether it may load another model.
        tokens: Requests that it may send at once.
        since: When the tokens were counted last, on `time.monotonic`.
    """

    name: str
    digest: bytes
    admin: bool
    tokens: float = 1
    since: float = 0

    def wait(self, rate: float) -> float:
        """Take a token, and return 0; or return the seconds until there is one.

        Args:
            rate: Tokens that come back in a second; a second's worth of them can gather.
        """
        now = time.monotonic()
        self.tokens = min(max(1, rate), self.tokens + rate * (now - self.since))
        self.since = now
        if self.tokens < 1:
            return (1 - self.tokens) / rate
        self.tokens -= 1
        return 0


def make_key(name: str, *, admin: bool) -> tuple[str, str]:
    """Make the key of a client.

    A key has 256 random bits, so that a plain SHA-256 hides it: nobody can try them all.

    Returns:
        The key, and its line for the file of keys.

    Raises:
        UserError: The name can't stand in that file.
    """
    key = secrets.token_urlsafe(32)
    line = f"{name} {hashlib.sha256(key.encode()).hexdigest()}{' admin' if admin else ''}"
    if not LINE.fullmatch(line):
        raise UserError(f"{name!r} is no name of a client: take letters, digits and . _ - @")
    return key, line


class Keys:
    """The clients that a file lists, one a line: its name, the digest of its key, or `admin` too.

    The file is read again when it has changed, at most once a second. A client may have several
    keys: to give it another one, add a line, and take the old one away later.

    Args:
        path: The file.

    Raises:
        UserError: The file can't be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen, self.next_look = version_of(path), time.monotonic() + 1
        self.clients = read_keys(path)  # after the look: a change between both is seen later

    def find(self, key: str) -> Client | None:
        """Find the client of a key, in a time that says nothing about the other keys."""
        if time.monotonic() > self.next_look:
            self.look()
        digest = hashlib.sha256(key.encode()).digest()
        found = [one for one in self.clients if hmac.compare_digest(one.digest, digest)]
        return found[0] if found else None

    def look(self) -> None:
        """Read the file if it has changed; one that can't be used leaves the old keys in place."""
        self.next_look = time.monotonic() + 1
        if (version := version_of(self.path)) == self.seen:
            return
        self.seen = version
        try:
            clients = read_keys(self.path)
        except UserError as error:
            log.error("the old keys are kept: %s", error)  # noqa: TRY400 - the reason is enough
            return
        known = {one.digest: one for one in self.clients}
        for one in clients:  # what it has asked for still counts
            if before := known.get(one.digest):
                one.tokens, one.since = before.tokens, before.since
        self.clients = clients
        log.info("%s holds %d keys", self.path, len(clients))


def version_of(path: Path) -> tuple[int, ...]:
    """Return what changes when a file does; nothing if it can't be looked at."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def read_keys(path: Path) -> list[Client]:
    """Read the file of keys; lines that are empty or start with # say nothing.

    Raises:
        UserError: It can't be read, a line is wrong, or it holds no key.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        text = content.decode()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise UserError(f"SERVE_KEYS_FILE={str(path)!r}: {reason}") from error
    if len(content) > LARGEST_FILE:
        raise UserError(f"SERVE_KEYS_FILE={str(path)!r}: it has more than {LARGEST_FILE} bytes")
    clients = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        # The line itself is not shown: it may be a key
        if not (found := LINE.fullmatch(line.strip())):
            raise UserError(
                f"SERVE_KEYS_FILE={str(path)!r}, line {number}: it has to be a name, the SHA-256 "
                "of a key in 64 hexadecimal digits, and for an administrator the word admin"
            )
        digest = bytes.fromhex(found["digest"])
        clients.append(Client(found["name"], digest, bool(found["admin"])))
    if not clients:
        raise UserError(f"SERVE_KEYS_FILE={str(path)!r}: it holds no key")
    return clients


class Access:
    """Refuses requests to another host, without a key, or after too many others of the same key.

    Args:
        app: The application that handles the rest.
        settings: The file of keys, the rate, and the names of the service.

    Raises:
        UserError: The file of keys can't be used.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.rate = app, settings.rate
        self.hosts = settings.hosts.split(",")
        self.keys = Keys(settings.keys_file) if settings.keys_file else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http" and (path := scope["path"]) not in PROBES:
            headers = dict(scope["headers"])
            self.check_host(headers.get(b"host", b"").decode("latin-1"))
            if self.keys and not PAGES.fullmatch(path):
                client = self.find(self.keys, headers.get(b"authorization", b""))
                scope["log"] = {"key": client.name}
                scope["admin"] = client.admin
                self.check_rate(client)
        await self.app(scope, receive, send)

    def check_host(self, host: str) -> None:
        """Refuse a name that is not the service's: a page may have led a browser to it.

        Raises:
            Refused: There is no such host here.
        """
        name = re.sub(r":\d+$", "", host.lower())
        if not any(
            one in ("*", name) or (one.startswith("*.") and name.endswith(one[1:]))
            for one in self.hosts
        ):
            raise Refused(421, "the service has no such host name; see SERVE_HOSTS")

    def find(self, keys: Keys, authorization: bytes) -> Client:
        """Find out who asks, by the key in the header `Authorization: Bearer KEY` (RFC 6750).

        Raises:
            Refused: There is no key, or it is wrong.
        """
        scheme, _, key = authorization.decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            asked = {"WWW-Authenticate": "Bearer"}
            raise Refused(401, "a key is needed: Authorization: Bearer KEY", asked)
        if client := keys.find(key.strip()):
            return client
        asked = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise Refused(401, "the key is not valid", asked)

    def check_rate(self, client: Client) -> None:
        """Refuse a request that comes too early.

        Raises:
            Refused: The client has asked too often.
        """
        if self.rate and (seconds := client.wait(self.rate)):
            again = {"Retry-After": str(math.ceil(seconds))}
            raise Refused(429, f"a key may ask {self.rate:g} times a second", again)


def check_admin(request: Request) -> None:
    """Refuse a request without an administrator's key.

    Raises:
        Refused: It has another key, or the service asks for none.
    """
    if not request.scope.get("admin"):
        asked = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
        raise Refused(403, "an administrator's key is needed; see SERVE_KEYS_FILE", asked)


def guard(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Put around an application what is common to all requests, and what the settings ask for.

    Raises:
        UserError: The file of keys can't be used.
    """
    if settings.keys_file or settings.hosts != "*":
        app = Access(app, settings)
    app = RequestLog(app, settings.max_body)
    if settings.origins != "none":
        origins = settings.origins.split(",")
        app = CORSMiddleware(app, origins, ("GET", "POST"), SENT, expose_headers=SHOWN)
    return app
