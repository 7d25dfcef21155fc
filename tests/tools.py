"""Commands from outside Python, the reasons not to run them here, and how to wait for a server."""

import contextlib
import functools
import http.client
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bakery import TEMPLATE
from machine import plain_environment

# The longest that a test waits for a program that is alive, in seconds: a busy machine is slow
PATIENCE = 600

# `nox -s tests` installs packages of npm here
NODE_MODULES = TEMPLATE / ".cache" / "node" / "node_modules"
QUIET = {
    "CHECKPOINT_DISABLE": "1",
    "TF_IN_AUTOMATION": "1",
    "TF_INPUT": "0",
    "TF_CLI_ARGS": "-no-color",
}

REQUIRED = """terraform {{
  required_providers {{
    {provider} = {{
      {settings}
    }}
  }}
}}
"""


def run(
    *command: str | Path, folder: Path | None = None, typed: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command with an input, `typed`; return its output, and apart from it its errors."""
    return subprocess.run(
        command,
        cwd=folder,
        env=plain_environment(**environment),
        check=False,
        text=True,
        input=typed,
        capture_output=True,
    )


def printed(done: subprocess.CompletedProcess[str]) -> str:
    """Return the output and the errors of a command, for messages: parse `stdout` alone."""
    return done.stdout + done.stderr


def wait_until(
    ready: Callable[[], bool], ended: Callable[[], str], patience: float = PATIENCE
) -> None:
    """Wait as long as a program lives and is not ready.

    Args:
        ready: Says whether the program is ready.
        ended: Says how the program ended, or nothing while it lives.
        patience: The longest to wait, in seconds.
    """
    end = time.monotonic() + patience
    while not ready():
        assert not (reason := ended()), reason
        assert time.monotonic() < end, f"it lives, and is not ready after {patience} s"
        time.sleep(0.1)


def free_port() -> int:
    """Find a port of this machine that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def serving(*command: str, port: int, folder: Path, **environment: str) -> Iterator[None]:
    """Run a command that serves a baked project on a port, until the block ends."""
    service = subprocess.Popen(command, cwd=folder, env=plain_environment(**environment))

    def answers() -> bool:
        server = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        with contextlib.suppress(OSError):
            server.request("GET", "/readyz")
            return server.getresponse().status == 200
        return False

    try:
        wait_until(answers, lambda: "" if service.poll() is None else f"{' '.join(command)}: ended")
        yield
    finally:
        service.terminate()
        service.wait(PATIENCE)


def missing_node(package: str) -> str:
    """Return the reason not to run a package of npm's, or nothing."""
    if not shutil.which("node"):
        return "there is no node command"
    if not (NODE_MODULES / package).is_dir():
        return f"npm's {package} is not in {NODE_MODULES}: `nox -s tests` puts it there"
    return ""


def missing_terraform() -> str:
    """Return the reason not to run Terraform, or nothing."""
    return "" if shutil.which("terraform") else "there is no terraform command"


def missing_formatter() -> str:
    """Return the reason not to format Terraform: no command, and no formatter as an npm package."""
    reason = missing_terraform() and missing_node("@cdktn/hcl-tools")
    return reason and f"{missing_terraform()}, and {reason}"


def unformatted(root: Path) -> list[str]:
    """Name the Terraform files below a folder that `terraform fmt` would change."""
    if shutil.which("terraform"):
        command = ["terraform", "fmt", "-check", "-recursive", "."]
        environment = plain_environment(**QUIET)
    else:
        script = """
          const { readFileSync } = require("node:fs"), { format } = require("@cdktn/hcl-tools");
          for (const path of process.argv.slice(1)) {
            const text = readFileSync(path, "utf8");
            format(text).then((same) => same === text || console.log(path));
          }
        """
        files = sorted(str(path.relative_to(root)) for path in root.rglob("*.tf"))
        command = ["node", "--eval", script, *files]
        environment = plain_environment(NODE_PATH=str(NODE_MODULES))
    done = subprocess.run(
        command, cwd=root, env=environment, check=False, capture_output=True, text=True
    )
    # `fmt` ends with 3 if it would change a file
    assert done.returncode in {0, 3}, done.stderr
    return done.stdout.splitlines()


@dataclass(frozen=True)
class Provider:
    """A Terraform provider on this machine.

    Attributes:
        missing: The reason not to use it, or nothing.
        version: The newest that there is.
    """

    missing: str = ""
    version: str = ""


@functools.cache
def provider_of(name: str) -> Provider:
    """Let Terraform find a provider, in its registry or in a mirror."""
    if reason := missing_terraform():
        return Provider(reason)
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "main.tf").write_text(REQUIRED.format(provider=name, settings=""))
        done = run("terraform", "init", folder=Path(scratch), **QUIET)
    if installed := re.search(rf"Installed hashicorp/{name} v([\d.]+)", done.stdout):
        return Provider("", installed[1])
    return Provider(f"terraform finds no provider {name}, in a registry or a mirror")


def initialise(root: Path, name: str) -> None:
    """Run `terraform init`, with the newest version of the provider that there is if need be."""
    provider = provider_of(name)
    command = ["terraform", "init", "-backend=false"]
    done = run(*command, folder=root, **QUIET)
    if done.returncode:
        settings = f'version = "{provider.version}"'
        for folder in {path.parent for path in root.rglob("*.tf")}:
            text = REQUIRED.format(provider=name, settings=settings)
            (folder / "mirror_override.tf").write_text(text)
        done = run(*command, folder=root, **QUIET)
    assert done.returncode == 0, printed(done)


def validated(root: Path, provider: str) -> str:
    """Run `terraform validate` over all folders in `root` at once; return its objections.

    Each folder becomes a module of one configuration, so that the provider starts once. `root` must
    not be a configuration of its own.
    """
    from terraform import blocks

    example = {"string": '"name1"', "number": "1", "bool": "true"}
    digits = '"1"'  # what a variable with a validation and no default holds
    modules = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        texts = {path.name: path.read_text("utf-8") for path in folder.glob("*.tf")}
        needed = {
            labels[0]: body
            for _, labels, body in blocks(texts, "variable")
            if "default" not in body
        }
        given = [
            f"  {name} = {digits if 'validation' in body else example.get(body['type'], '[]')}\n"
            for name, body in needed.items()
        ]
        modules.append(
            f'module "{folder.name}" {{\n  source = "./{folder.name}"\n{"".join(given)}}}\n'
        )
    (root / "main.tf").write_text("".join(modules))
    initialise(root, provider)
    done = run("terraform", "validate", folder=root, **QUIET)
    return printed(done) if done.returncode else ""
