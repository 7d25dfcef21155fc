"""Models and data sets of the Hugging Face Hub, or of folders with the same files."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import UserError


def find_source(name: str, setting: str, revision: str | None = None) -> tuple[str, str | None]:
    """Find a folder, or say what is read from the hub and how it is called there.

    Args:
        name: The path of a folder, or a name on the hub, such as `owner/name`, after which
            `@` and a revision may stand.
        setting: Name of the setting that holds `name`, for messages.
        revision: The branch, tag or commit that is read from the hub; None for `main`.

    Returns:
        What the packages of Hugging Face take: the path, or the name and the revision.

    Raises:
        UserError: There is no such folder, and on the hub nothing can be called so, or a folder is
            to have a revision.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if revision:
            raise UserError(f"{setting} is {name!r}, a folder, which has no revision {revision}")
        return str(folder), None
    name, _, behind = name.partition("@")
    revision = revision or behind or None
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name, re.ASCII):
        raise UserError(
            f"{setting} is {name!r}: there is no such folder, and names on the Hugging Face Hub "
            "have the form owner/name"
        )
    server = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    print(
        f"{setting}: reading {name}, revision {revision or 'main'}, from {server} or from the copy "
        "that an earlier run has kept",
        flush=True,
    )
    return name, revision


@contextmanager
def explaining(what: str, package: str) -> Iterator[None]:
    """Explain in one line what goes wrong inside of the block, which imports and runs a package.

    Args:
        what: What is read, for messages.
        package: The package, which has the name of its dependency group.

    Raises:
        UserError: The package is missing, or something can't be read.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # the packages raise errors of many kinds, and those of others
        if isinstance(error, ImportError) and error.name == package:
            raise UserError(
                f"{what} needs the package {package}: install the dependency group {package}, as "
                f"with `pip install --group {package}`"
            ) from error
        reason = " ".join(str(error).split("\n\n")[0].split())
        raise UserError(f"{what} can't be read: {reason or type(error).__name__}") from error
