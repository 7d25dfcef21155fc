"""Preparing in several processes, and processes that die."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets import storage
from {{ cookiecutter.project_slug }}.datasets.splits import SPLITS

FOLDER = Path("prepared")
PACKAGE = Path(sys.modules[UserError.__module__].__file__).parent
SCRIPT = f"""
import sys
from pathlib import Path
sys.path[:0] = [{str(PACKAGE.parent)!r}, {str(Path(__file__).parent)!r}]
from test_storage import *
"""


def write(value: int, folder: Path = FOLDER, crash=lambda: None) -> None:
    """Prepare inputs and labels that all have one value."""
    with storage.alone(folder), storage.replacing(folder) as partial:
        for split in SPLITS:
            np.save(partial / f"{split}_inputs.npy", np.full((50, 3, 32, 32), value, np.uint8))
            crash()
            np.save(partial / f"{split}_labels.npy", np.full(50, value))
        (partial / "meta.json").write_text(json.dumps({"value": value}), encoding="utf-8")


def start(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SCRIPT + code])


def values() -> set[int]:
    stored = storage.open_stored(FOLDER)
    arrays = (array for pair in stored.arrays.values() for array in pair)
    return {stored.meta["value"], *(int(number) for one in arrays for number in np.unique(one))}


def beside() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Windows replaces no files that are open")
def test_two_processes_prepare_while_one_reads_and_no_data_are_mixed():
    write(0)
    writers = [start(f"for _ in range(40): write({value})") for value in (1, 2)]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        found = values()
        assert len(found) == 1
        seen |= found
    assert [writer.wait() for writer in writers] == [0, 0]
    assert {1, 2} <= seen
    assert beside() == [".prepared.lock", "prepared"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_process_that_is_killed_leaves_the_old_data_and_no_lock():
    write(1)
    killed = start("write(2, crash=lambda: os.kill(os.getpid(), signal.SIGKILL))")
    assert killed.wait() == -signal.SIGKILL
    assert values() == {1}
    assert ".prepared.partial" in beside()
    write(3)
    assert values() == {3}
    assert beside() == [".prepared.lock", "prepared"]


def test_the_old_data_come_back_when_a_process_died_in_the_middle_of_replacing_them():
    write(1)
    FOLDER.rename(".prepared.old")
    with pytest.raises(UserError, match="complete"):
        storage.open_stored(FOLDER)
    with storage.alone(FOLDER):
        assert values() == {1}


def test_a_write_that_fails_leaves_the_old_data_and_is_told_in_one_line():
    write(1)

    def full():
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match=r"^data\.folder prepared can.t be prepared: .*No space"):
        write(2, crash=full)
    assert values() == {1}
    assert beside() == [".prepared.lock", "prepared"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no links for all users")
def test_a_link_to_another_disk_stays_one():
    write(1, Path("disk/data"))
    FOLDER.symlink_to("disk/data", target_is_directory=True)
    write(2)
    assert FOLDER.is_symlink()
    assert values() == {2}


def test_arrays_that_are_missing_or_damaged_are_named():
    write(1)
    (FOLDER / "val_inputs.npy").write_bytes(b"half")
    with pytest.raises(UserError, match=r"val_inputs\.npy is damaged"):
        storage.open_stored(FOLDER)
    (FOLDER / "val_inputs.npy").unlink()
    with pytest.raises(UserError, match=r"prepared holds no complete data"):
        storage.open_stored(FOLDER)


def test_the_digest_changes_with_any_label_or_input():
    write(1)
    digests = {storage.digest_of(FOLDER)}
    for split in SPLITS:
        for kind in ("inputs", "labels"):
            array = np.load(FOLDER / f"{split}_{kind}.npy")
            array.flat[-1] += 1
            np.save(FOLDER / f"{split}_{kind}.npy", array)
            digests.add(storage.digest_of(FOLDER))
    assert len(digests) == 7
