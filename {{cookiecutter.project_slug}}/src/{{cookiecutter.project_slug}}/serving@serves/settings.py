"""Settings of the service, from environment variables: SERVE_PORT=9000 sets `port`."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from .. import UserError


class Settings(BaseSettings):
    """Settings of the service, each with its default.

    Attributes:
        model: The file to serve.
        host: Address to listen on; 0.0.0.0 stands for all addresses of this machine.
        port: TCP port; 0 takes any that is free.
        threads: CPU threads for one batch.
        max_batch: Samples in one call of the model, and in one request.
        max_queue: Samples that may wait for the model; requests with more get status 503.
        max_body: Bytes of a request's body.
{%- if cookiecutter.task == "image" %}
        max_pixels: Pixels of an uploaded picture, before it is resized.
{%- elif cookiecutter.task == "text" %}
        max_characters: Characters of a text; the model reads those that fit into its input.
{%- endif %}
        timeout: Seconds until a request without an answer gets status 504.
        log_level: Level of the least severe messages in the log.
    """

    model_config = SettingsConfigDict(env_prefix="SERVE_")

    model: Path = Path("{{ cookiecutter.__model_file }}")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    threads: int = Field(default=1, ge=1)
    max_batch: int = Field(default=64, ge=1)
    max_queue: int = Field(default=256, ge=1)
    max_body: int = Field(default=10_000_000, ge=1)
{%- if cookiecutter.task == "image" %}
    max_pixels: int = Field(default=20_000_000, ge=1)
{%- elif cookiecutter.task == "text" %}
    max_characters: int = Field(default=10_000, ge=1)
{%- endif %}
    timeout: float = Field(default=10, gt=0)
    max_connections: int = Field(default=1000, ge=1)
    max_header: int = Field(default=65_536, ge=1000)
    read_timeout: float = Field(default=10, gt=0)
    idle_timeout: int = Field(default=5, ge=1)
    grace: int = Field(default=15, ge=1)
    drain: float = Field(default=0, ge=0)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


def read_settings() -> Settings:
    """Read the environment.

    Raises:
        UserError: A value can't be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"SERVE_{first['loc'][0]}".upper()
        raise UserError(f"{name}={first['input']}: {first['msg']}") from error
