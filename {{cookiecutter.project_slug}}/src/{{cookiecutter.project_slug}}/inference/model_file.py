"""Files of trained models: reading them whole, and replacing them at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from .. import UserError


def read_model(path: Path | str, command: str) -> bytes:
    """Read a model's file as a whole.

    Args:
        path: The file.
        command: The command of this project that writes such files.

    Raises:
        UserError: There is no such file, or it can't be read, or it is empty.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such file; `{command}` writes it") from error
    except OSError as error:
        reason = "it is a folder" if path.is_dir() else error.strerror
        raise UserError(f"{path} can't be read: {reason}") from error
    if not content:
        raise UserError(f"{path} is empty: write it again with `{command}`")
    return content


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write to; its file takes the place of `path` if the block raises nothing.

    Otherwise nothing of it is left, and an older file at `path` stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        partial = Path(folder, path.name)
        yield partial
        partial.replace(path)
