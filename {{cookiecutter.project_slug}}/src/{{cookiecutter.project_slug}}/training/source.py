"""The commit that a model or an image is made from. Imports nothing heavy: `cloud` uses it too."""

import os
import shutil
import subprocess


def source_commit() -> str | None:
    """Name the commit that is checked out, ending with `-dirty` if files differ from it.

    Returns:
        The variable SOURCE_COMMIT where it is set, as in a container; None outside git.
    """
    git = shutil.which("git")
    if git is None or "SOURCE_COMMIT" in os.environ:
        return os.environ.get("SOURCE_COMMIT") or None
    command = [git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() or None
