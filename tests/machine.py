"""The suite's own home folder and environment, the same for every caller.

`move_in` replaces the environment of the process that calls it. Each program that the process
starts afterwards (Git, DVC, Terraform, a baked project's tests, the workers of pytest-xdist) gets
this environment, and finds only the settings that are written here.
"""

import atexit
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import registries

# The caller's variables that the suite keeps, with those of `registries`
PASSED = {
    # Where programs, their libraries and temporary files lie
    "LD_LIBRARY_PATH", "PATH", "TMPDIR",
    # The Docker Engine
    "DOCKER_API_VERSION", "DOCKER_CERT_PATH", "DOCKER_HOST", "DOCKER_TLS_VERIFY",
    # `nox -s tests` sets it
    "MLBAKE_TORCH",
}  # fmt: skip
LOCAL = "localhost,127.0.0.1"
GIT_SETTINGS = """[user]
\tname = Ada
\temail = ada@example.com
"""


def clean_environment(caller: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the environment of the suite.

    Args:
        caller: The caller's variables.
        home: The suite's home folder.
    """
    passed = {
        name: value for name, value in caller.items() if name in PASSED or registries.named(name)
    }
    # Tests start servers on this machine: requests to them must not go to a proxy
    direct = ",".join(filter(None, [caller.get("NO_PROXY") or caller.get("no_proxy"), LOCAL]))
    return {
        **passed,
        **registries.caches(caller),
        "HOME": str(home),
        "MLBAKE_HOME": str(home),
        "USER": "ada",
        "LOGNAME": "ada",
        "LANG": "C.UTF-8",
        "NO_PROXY": direct,
        "no_proxy": direct,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "DVC_NO_ANALYTICS": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def furnish(home: Path, caller: Mapping[str, str]) -> None:
    """Write the settings that tools find in the suite's home folder.

    Args:
        home: An empty folder.
        caller: The caller's variables.
    """
    old = Path(caller.get("HOME") or Path.home())
    registries.copy(caller, old, home)
    (home / ".gitconfig").write_text(GIT_SETTINGS, encoding="utf-8")
    # Docker finds `compose` and `buildx` in the folder of the settings, or in those it names
    docker = Path(caller.get("DOCKER_CONFIG") or old / ".docker")
    plugins = [str(docker / "cli-plugins")]
    with contextlib.suppress(OSError, ValueError, AttributeError):
        given = json.loads((docker / "config.json").read_text("utf-8"))
        plugins += given.get("cliPluginsExtraDirs", [])
    (home / ".docker").mkdir()
    settings = {"cliPluginsExtraDirs": plugins}
    (home / ".docker" / "config.json").write_text(json.dumps(settings), encoding="utf-8")


def engine_address(caller: Mapping[str, str]) -> dict[str, str]:
    """Return the address of the Docker Engine that the caller's settings name, as a variable.

    Settings in the home folder name the engine of Docker Desktop, and an engine without root.
    """
    if "DOCKER_HOST" in caller or not shutil.which("docker"):
        return {}
    command = ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    done = subprocess.run(command, env=caller, capture_output=True, check=False, text=True)
    address = done.stdout.strip()
    return {"DOCKER_HOST": address} if done.returncode == 0 and address else {}


def move_in() -> None:
    """Give this process and its child processes the suite's home folder and environment.

    A child process that calls this again keeps them. The folder is removed when this process ends.
    """
    if "MLBAKE_HOME" in os.environ and os.environ["MLBAKE_HOME"] == os.environ.get("HOME"):
        return
    caller = dict(os.environ)
    home = Path(tempfile.mkdtemp(prefix="mlbake-home-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.umask(0o022)
    furnish(home, caller)
    environment = clean_environment(caller, home) | engine_address(caller)
    os.environ.clear()
    os.environ.update(environment)


def put_first_on_path(folder: Path) -> None:
    """Let a folder's programs be found before other programs of the same name."""
    rest = [part for part in os.environ["PATH"].split(os.pathsep) if part != str(folder)]
    os.environ["PATH"] = os.pathsep.join([str(folder), *rest])


def plain_environment(**more: str) -> dict[str, str]:
    """Return the suite's environment and `more`, without the variables that pytest sets."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return ours | more


def uv_settings(index: Path) -> dict[str, str]:
    """Let uv take the CPU build of PyTorch from a folder, and use this Python."""
    return {
        "UV_INDEX": f"pytorch-cpu={index.as_uri()} {os.environ.get('UV_INDEX', '')}".strip(),
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
    }


def pip_settings(index: Path, folder: Path) -> dict[str, str]:
    """Let pip find the CPU build of PyTorch, and no other build of it."""
    wheel = next((index / "torch").glob(f"*cp3{sys.version_info.minor}-*.whl"))
    version = wheel.name.split("-")[1]
    constraint = folder / "constraints.txt"
    constraint.write_text(f"torch=={version}\n", encoding="utf-8")
    return {
        "PIP_CONSTRAINT": str(constraint),
        "PIP_FIND_LINKS": f"{index / 'torch'} {os.environ.get('PIP_FIND_LINKS', '')}".strip(),
        "PIP_RETRIES": "0",  # PyTorch's own index need not be reachable
        "PIP_COMPILE": "0",  # Python compiles the modules that it imports, a tenth of all
    }


def in_venv(folder: Path) -> dict[str, str]:
    """Make a virtual environment and return the variables that activating it sets."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {"VIRTUAL_ENV": str(folder), "PATH": path}
