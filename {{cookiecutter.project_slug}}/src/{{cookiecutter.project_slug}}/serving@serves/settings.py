"""Settings of the service, from environment variables: SERVE_PORT=9000 sets `port`."""

import ipaddress
import os
import re
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from .. import UserError

NAME = r"(\*|(\*\.)?[a-z0-9._-]+|\[[0-9a-f:.]+\])"  # of a host
ORIGIN = r"(\*|https?://[a-z0-9.:\[\]-]+)"
Seconds = Annotated[float, Field(gt=0, le=3600)]  # neither NaN nor infinite

# A name that is misspelt is refused: it may be of a limit that the service needs. Only Kubernetes'
# own names are let through. It gives them to each pod that has a service called `serve`, or
# `serve-` and more, beside it: SERVE_SERVICE_HOST, SERVE_PORT_8000_TCP, SERVE_PORT=tcp://...
INJECTED = re.compile(r"SERVE_(\w+_)?(SERVICE_(HOST|PORT\w*)=.*|PORT=\w+://.*|PORT_\d+_\w+=.*)")


class Settings(BaseSettings):
    """Settings of the service, each with its default.

    Attributes:
        model: The file to serve.
        host: Address to listen on; 0.0.0.0 stands for all IPv4 addresses of this machine, and ::
            for those of IPv6 too.
        port: TCP port; 0 takes any that is free.
        threads: CPU threads for one batch.
        max_batch: Samples in one call of the model, and in one request.
        max_queue: Samples that may wait for the model, at least `max_batch`; requests with more get
            status 503.
        max_connections: Open connections; more are refused.
        max_header: Bytes of a request's head, which is its first line and its headers; requests
            with more get status 431.
        max_body: Bytes of a request's body.
{%- if cookiecutter.task == "image" %}
        max_pixels: Pixels of an uploaded picture, before it is resized.
{%- elif cookiecutter.task == "text" %}
        max_characters: Characters of a text; the model reads those that fit into its input.
{%- endif %}
        timeout: Seconds until a request without an answer gets status 504.
        read_timeout: Seconds until a connection that still sends its request's head or body gets
            status 408 and is closed.
        idle_timeout: Seconds that a connection without a request is kept open.
        grace: Seconds in which a stopped service finishes the requests that it has accepted, at
            least `timeout`. Many platforms end a process 10 seconds after they asked it to stop.
        drain: Seconds that a stopped service still takes requests while /readyz sends them
            elsewhere; beside `grace`.
        keys_file: The keys of the clients that may ask; None lets everybody ask.
        rate: Requests a second for each key, and as many at once; each process counts those that
            it gets. 0 sets no limit.
        hosts: Names by which requests may ask for the service, separated by commas, such as
            `api.example.com` or `*.example.com`; * stands for all.
        origins: Pages that may ask from within a browser, separated by commas, such as
            `https://example.com`; * stands for all, and `none` for no page.
        proxies: Addresses or networks of the proxies that are believed about a client's address,
            separated by commas, such as `10.0.0.0/8`; * stands for all, and `none` for no proxy.
        workers: Processes that answer; they share the port, and each has its own model and limits.
        docs: Whether to serve the pages /docs and /openapi.json.
        log_level: Level of the least severe messages in the log.
    """

    model_config = SettingsConfigDict(env_prefix="SERVE_")

    model: Path = Path("{{ cookiecutter.__model_file }}")
    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8000, ge=0, le=65_535)
    threads: int = Field(default=1, ge=1, le=1024)
    max_batch: int = Field(default=64, ge=1, le=100_000)
    max_queue: int = Field(default=256, ge=1, le=1_000_000)
    max_connections: int = Field(default=1000, ge=1, le=100_000)
    max_header: int = Field(default=65_536, ge=1024, le=1_048_576)
    max_body: int = Field(default=10_000_000, ge=1, le=1_000_000_000)
{%- if cookiecutter.task == "image" %}
    max_pixels: int = Field(default=4_000_000, ge=1, le=1_000_000_000)
{%- elif cookiecutter.task == "text" %}
    max_characters: int = Field(default=10_000, ge=1, le=10_000_000)
{%- endif %}
    timeout: Seconds = 8
    read_timeout: Seconds = 10
    idle_timeout: Seconds = 5
    grace: Seconds = 9
    drain: float = Field(default=0, ge=0, le=3600)
    keys_file: Path | None = None
    rate: float = Field(default=0, ge=0, le=1_000_000)
    hosts: str = Field(default="*", pattern=rf"^{NAME}(,{NAME})*$")
    origins: str = Field(default="none", pattern=rf"^none$|^{ORIGIN}(,{ORIGIN})*$")
    proxies: str = Field(default="none", min_length=1)
    workers: int = Field(default=1, ge=1, le=256)
    docs: bool = True
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="after")
    def check_together(self) -> Self:
        """Refuse settings that contradict each other.

        Raises:
            UserError: The queue can't hold a batch, an accepted request may outlive the service, a
                rate has no keys, a proxy has no address, or the system has no workers.
        """
        if self.max_queue < self.max_batch:
            raise UserError(
                f"SERVE_MAX_QUEUE={self.max_queue} is smaller than SERVE_MAX_BATCH="
                f"{self.max_batch}: a request with a full batch could never wait for the model"
            )
        if self.grace < self.timeout:
            raise UserError(
                f"SERVE_GRACE={self.grace:g} is shorter than SERVE_TIMEOUT={self.timeout:g}: a "
                "service that is stopped could not answer all that it has accepted"
            )
        if self.rate and not self.keys_file:
            raise UserError(
                f"SERVE_RATE={self.rate:g} limits the requests of each key: set SERVE_KEYS_FILE"
            )
        for proxy in [] if self.proxies in {"*", "none"} else self.proxies.split(","):
            try:
                ipaddress.ip_network(proxy)
            except ValueError as error:
                raise UserError(f"SERVE_PROXIES={self.proxies!r}: {error}") from error
        if self.workers > 1 and sys.platform == "win32":
            raise UserError(f"SERVE_WORKERS={self.workers}: on Windows there can be one")
        return self


def read_settings() -> Settings:
    """Read the environment.

    Raises:
        UserError: A value can't be used, values contradict each other, or a name is unknown.
    """
    known = [f"SERVE_{field}".upper() for field in Settings.model_fields]
    for variable, value in os.environ.items():
        name = variable.upper()
        if name in known or not name.startswith("SERVE_"):
            continue
        if not INJECTED.fullmatch(f"{name}={value}"):
            nearest = get_close_matches(name, known, n=1, cutoff=0)[0]
            raise UserError(f"{name} is no setting of the service; the nearest one is {nearest}")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name, value = f"SERVE_{first['loc'][0]}".upper(), str(first["input"])[:80]
        reason = first["msg"]
        if value.startswith("tcp://"):
            reason = "Kubernetes sets it for a service called `serve`: rename that, or set the port"
        raise UserError(f"{name}={value!r}: {reason}") from error
