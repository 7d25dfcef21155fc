"""A machine that has nothing but the package registries: what a user's shell, or a runner, has."""

import os
import subprocess
import sys
from pathlib import Path


def plain_environment(**more: str) -> dict[str, str]:
    """Return the variables that every shell has, the path of this Python first, and `more`."""
    keep = ("HOME", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT", "REQUESTS_CA_BUNDLE")
    return {
        **{name: value for name, value in os.environ.items() if name in keep},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_NO_ANALYTICS": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
        **more,
    }


def uv_settings(index: Path) -> dict[str, str]:
    """Let uv take the CPU build of PyTorch from a folder, and use this Python."""
    return {
        "UV_INDEX": f"pytorch-cpu={index.as_uri()}",
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
    }


def pip_settings(index: Path, folder: Path) -> dict[str, str]:
    """Let pip find the CPU build, and no other, wherever a README line leaves the choice."""
    wheel = next((index / "torch").glob(f"*cp3{sys.version_info.minor}-*.whl"))
    version = wheel.name.split("-")[1]
    constraint = folder / "constraints.txt"
    constraint.write_text(f"torch=={version}\n", encoding="utf-8")
    return {
        "PIP_CONSTRAINT": str(constraint),
        "PIP_FIND_LINKS": str(index / "torch"),
        "PIP_RETRIES": "0",  # PyTorch's own index need not be reachable
    }


def in_venv(folder: Path) -> dict[str, str]:
    """Make a virtual environment and return what activating it sets."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {"VIRTUAL_ENV": str(folder), "PATH": path}
