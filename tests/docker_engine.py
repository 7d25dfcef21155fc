"""The reasons not to build and run images on this machine."""

import functools
import shutil
import subprocess
import sys


@functools.cache
def missing() -> str:
    """Return the reason, or nothing if a Docker Engine answers."""
    if sys.platform != "linux":
        return "containers are tested on Linux only"
    if not shutil.which("docker"):
        return "there is no docker command"
    for command in (["info"], ["compose", "version"], ["buildx", "version"]):
        if subprocess.run(["docker", *command], capture_output=True, check=False).returncode:
            return f"`docker {' '.join(command)}` fails"
    return ""
