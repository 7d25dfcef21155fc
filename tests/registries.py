"""The caller's settings about package registries: the only settings that the suite takes over.

Variables or files in the home folder tell tools about registries, proxies and certificates. The
variables are named here. From the files, the suite copies only the lines about registries.
"""

import configparser
import contextlib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

VARIABLES = {
    # Certificates
    "CURL_CA_BUNDLE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE",
    # Proxies
    "ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy",
    # pip
    "PIP_CERT", "PIP_CLIENT_CERT", "PIP_DEFAULT_TIMEOUT", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS",
    "PIP_INDEX_URL", "PIP_NO_INDEX", "PIP_PROXY", "PIP_TRUSTED_HOST",
    # uv
    "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_HTTP_TIMEOUT", "UV_INDEX",
    "UV_INDEX_STRATEGY", "UV_INDEX_URL", "UV_INSECURE_HOST", "UV_NATIVE_TLS", "UV_NO_INDEX",
    "UV_SYSTEM_CERTS",
    # npm
    "NPM_CONFIG_REGISTRY", "npm_config_registry",
}  # fmt: skip
# Logins to the indexes that UV_INDEX names: UV_INDEX_<NAME>_USERNAME, UV_INDEX_<NAME>_PASSWORD
PREFIXES = ("UV_INDEX_",)

PIP_KEYS = {
    "cert", "client-cert", "extra-index-url", "find-links", "index-url", "no-index", "proxy",
    "timeout", "trusted-host",
}  # fmt: skip
UV_KEYS = {
    "allow-insecure-host", "extra-index-url", "find-links", "index", "index-strategy", "index-url",
    "native-tls", "no-index", "system-certs",
}  # fmt: skip
# `//host/:_authToken=` is the login to a registry
NPM_LINE = re.compile(
    r"\s*(//|(@[\w.-]+:)?registry\b|ca(file)?\b|(https?-)?proxy\b|noproxy\b|strict-ssl\b)"
)


def named(variable: str) -> bool:
    """Say whether a variable is about registries."""
    return variable in VARIABLES or variable.startswith(PREFIXES)


def caches(caller: Mapping[str, str]) -> dict[str, str]:
    """Return the folders of packages that were downloaded before: they hold no settings."""
    home = Path(caller.get("HOME") or Path.home())
    folder = Path(caller.get("XDG_CACHE_HOME") or home / ".cache")
    return {
        "PIP_CACHE_DIR": caller.get("PIP_CACHE_DIR") or str(folder / "pip"),
        "UV_CACHE_DIR": caller.get("UV_CACHE_DIR") or str(folder / "uv"),
        "npm_config_cache": caller.get("npm_config_cache") or str(home / ".npm"),
    }


def copy(caller: Mapping[str, str], old: Path, new: Path) -> None:
    """Copy the settings about registries from one home folder to another.

    Args:
        caller: The caller's variables, which may name other files.
        old: The caller's home folder.
        new: The home folder to write to.
    """
    settings = Path(caller.get("XDG_CONFIG_HOME") or old / ".config")
    texts = {
        ".config/pip/pip.conf": _pip(
            [
                old / ".pip/pip.conf",
                old / "Library/Application Support/pip/pip.conf",
                settings / "pip/pip.conf",
                Path(caller.get("PIP_CONFIG_FILE", os.devnull)),
            ]
        ),
        ".config/uv/uv.toml": _uv(Path(caller.get("UV_CONFIG_FILE") or settings / "uv/uv.toml")),
        ".npmrc": _npm(
            Path(
                caller.get("NPM_CONFIG_USERCONFIG")
                or caller.get("npm_config_userconfig")
                or old / ".npmrc"
            )
        ),
        ".terraformrc": _terraform(
            Path(caller.get("TF_CLI_CONFIG_FILE") or old / ".terraformrc"),
        ),
    }
    for name, text in texts.items():
        if text:
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_text(text, encoding="utf-8")
    # Terraform takes providers from these folders and does not ask a registry for them
    for name in (".terraform.d/plugins", ".local/share/terraform/plugins"):
        if (old / name).is_dir():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).symlink_to(old / name)


def _read(file: Path) -> str:
    """Read a file; a file that is missing, or is no text, counts as empty."""
    with contextlib.suppress(OSError, UnicodeError):
        return file.read_text(encoding="utf-8")
    return ""


def _pip(files: list[Path]) -> str:
    """Keep the lines about registries of pip's files, for all of its commands."""
    settings = configparser.RawConfigParser()
    for file in files:
        with contextlib.suppress(configparser.Error):
            settings.read_string(_read(file))
    kept = {
        key: " ".join(value.split())
        for section in settings.sections()
        for key, value in settings[section].items()
        if key.replace("_", "-") in PIP_KEYS
    }
    lines = [f"{key} = {value}\n" for key, value in kept.items()]
    return "".join(["[global]\n", *lines]) if lines else ""


def _uv(file: Path) -> str:
    """Keep the settings about registries of uv's file."""
    found: dict[str, Any] = {}
    with contextlib.suppress(tomllib.TOMLDecodeError):
        found = tomllib.loads(_read(file))
    pip = {key: value for key, value in found.get("pip", {}).items() if key in UV_KEYS}
    kept = {key: value for key, value in {**found, **pip}.items() if key in UV_KEYS}
    return "".join(f"{key} = {_toml(value)}\n" for key, value in kept.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def _npm(file: Path) -> str:
    """Keep the lines about registries of npm's file."""
    return "".join(f"{line}\n" for line in _read(file).splitlines() if NPM_LINE.match(line))


def _terraform(file: Path) -> str:
    """Keep the block that says where Terraform finds providers."""
    text = _read(file)
    start = re.search(r"^provider_installation\s*\{", text, re.MULTILINE)
    depth = 0
    for brace in re.finditer(r"[{}]", text[start.start() :] if start else ""):
        depth += 1 if brace[0] == "{" else -1
        if not depth and start:
            return text[start.start() :][: brace.end()] + "\n"
    return ""
