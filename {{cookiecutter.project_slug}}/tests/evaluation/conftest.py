"""The tests of evaluation share the trained checkpoint and the test split that it was tested on."""

from pathlib import Path

import example
import numpy as np
import pytest


@pytest.fixture(scope="session")
def options(trained: Path) -> list[str]:
    """Name the trained checkpoint and its data, as Hydra options."""
    return [
        f"data.folder={trained / example.FOLDER}",
        f"checkpoint={trained / 'models/model.ckpt'}",
    ]


@pytest.fixture(scope="session")
def test_split(trained: Path) -> tuple[np.ndarray, np.ndarray]:
    """Open the inputs and the labels of the test split."""
    folder = trained / example.FOLDER
    return np.load(folder / "test_inputs.npy"), np.load(folder / "test_labels.npy")
