"""Prepared data on disk: replaced as a whole by one process at a time, read by any."""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from .. import UserError
from .splits import SPLITS


@dataclass(frozen=True)
class Stored:
    """Prepared data, opened without reading the inputs.

    Attributes:
        meta: The content of `meta.json`.
        arrays: By split, memory-mapped inputs (samples, *shape) and labels (samples,).
    """

    meta: dict[str, Any]
    arrays: dict[str, tuple[NDArray[Any], NDArray[Any]]]


def is_stored(folder: Path) -> bool:
    """Say whether a folder holds prepared data."""
    return (folder / "meta.json").is_file()


def read_meta(folder: Path) -> dict[str, Any]:
    """Read the description of prepared data.

    Raises:
        FileNotFoundError: There are no data.
        UserError: The file is damaged.
    """
    try:
        meta: dict[str, Any] = json.loads((folder / "meta.json").read_text("utf-8"))
    except ValueError as error:
        raise UserError(f"{folder / 'meta.json'} is damaged: run `prepare`") from error
    return meta


def open_stored(folder: Path, splits: Sequence[str] = SPLITS) -> Stored:
    """Open the arrays of splits, all from one preparation, even while another one replaces them.

    Raises:
        UserError: The data are not there, or not complete.
    """
    for wait in (0.01, 0.1, 0.5):
        try:
            meta = read_meta(folder)
            arrays = {
                split: (load(folder, split, "inputs"), load(folder, split, "labels"))
                for split in splits
            }
            if read_meta(folder) == meta:
                return Stored(meta, arrays)
        except FileNotFoundError:
            time.sleep(wait)  # `replacing` may be between its two steps
    raise UserError(f"{folder} holds no complete data: run `prepare`")


def load(folder: Path, split: str, kind: str) -> NDArray[Any]:
    """Map the `inputs` or the `labels` of a split into memory."""
    path = folder / f"{split}_{kind}.npy"
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r")
    except (ValueError, EOFError) as error:
        raise UserError(f"{path} is damaged: run `prepare`") from error
    return array


def digest_of(folder: Path) -> str:
    """Compute the SHA-256 of the labels and inputs of all splits."""
    digest = hashlib.sha256()
    for split in SPLITS:
        for kind in ("labels", "inputs"):
            array = load(folder, split, kind)
            digest.update(f"{split} {kind} {array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time prepare a folder; the others wait here until it is done.

    The lock is a file beside the folder. The system frees it when a process dies, so that the file
    may stay.

    Raises:
        UserError: A file can't be read or written.
    """
    real = folder.resolve()
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(beside(real, "lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print(f"{folder}: waiting for another process, which prepares it", flush=True)
            lock.acquire()
        try:
            bring_back(real)
            yield
        finally:
            lock.release()
    except OSError as error:
        reason = error.strerror or str(error)
        if "requested and" in reason:  # NumPy's words for a write that ended early
            reason = "the disk is full"
        place = error.filename or folder
        raise UserError(f"data.folder {folder} can't be prepared: {place}: {reason}") from error


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yield an empty folder, which takes the place of `folder` if the block raises nothing.

    Call it inside of `alone`.
    """
    real = folder.resolve()  # a link to a larger disk stays one
    partial, old = beside(real, "partial"), beside(real, "old")
    for left in (partial, old):  # by processes that were killed
        shutil.rmtree(left, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        if real.exists():
            real.replace(old)  # deleted in its place, it would be seen in part
        partial.replace(real)
    finally:
        bring_back(real)
        for left in (partial, old):
            shutil.rmtree(left, ignore_errors=True)


def bring_back(real: Path) -> None:
    """Undo the first of the two steps of `replacing`, where the second one did not follow."""
    old = beside(real, "old")
    if old.is_dir() and not real.exists():
        old.replace(real)


def beside(real: Path, word: str) -> Path:
    """Name a hidden file or folder beside the data, which is nobody else's."""
    return real.with_name(f".{real.name}.{word}")
