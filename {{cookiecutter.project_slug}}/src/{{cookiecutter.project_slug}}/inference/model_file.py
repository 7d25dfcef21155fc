"""Reading the file of a trained model."""

from pathlib import Path

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
