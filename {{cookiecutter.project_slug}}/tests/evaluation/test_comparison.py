import re
from pathlib import Path

import numpy as np
import pytest
import torch

from {{ cookiecutter.project_slug }}.inference.checkpoint import load_checkpoint


@pytest.fixture
def options(trained):
    """Name the data and the current model."""
    digits = f"data.folder={trained / 'data/processed/digits'}"
    return digits, f"current={trained / 'models/model.ckpt'}"


@pytest.fixture
def spoilt(trained):
    """Write a checkpoint whose last layer has forgotten much."""
    saved = load_checkpoint(trained / "models/model.ckpt")
    name = list(saved["state_dict"])[-1]
    saved["state_dict"][name] += torch.linspace(0, 20, len(saved["state_dict"][name]))
    torch.save(saved, "spoilt.ckpt")
    return "checkpoint=spoilt.ckpt"


def test_a_model_is_no_worse_than_itself(cli, options, trained):
    code, output, _ = cli("compare", *options, f"checkpoint={trained / 'models/model.ckpt'}")
    assert code == 0
    assert "no worse than" in output
    assert re.findall(r"correctly: (\d+)", output) == ["0", "0"]


def test_a_worse_candidate_fails(cli, options, spoilt):
    code, output, _ = cli("compare", *options, spoilt)
    assert code == 1
    assert "The candidate is worse than" in output
    assert Path("reports/comparison.md").read_text("utf-8").strip() == output.strip()


def test_tolerance_is_the_accuracy_that_may_be_lost(cli, options, spoilt):
    assert cli("compare", *options, spoilt, "max_accuracy_loss=1.0")[0] == 0


def test_gains_and_losses_explain_the_change(cli, options, spoilt, trained):
    _, output, _ = cli("compare", *options, spoilt)
    lost, gained = map(int, re.findall(r"correctly: (\d+)", output))
    count = len(np.load(trained / "data/processed/digits/test_labels.npy"))
    row = next(line for line in output.splitlines() if line.startswith("| accuracy"))
    assert float(row.split("|")[4]) == pytest.approx((gained - lost) / count, abs=1e-4)


def test_models_of_other_classes_are_refused(cli, options, trained):
    saved = load_checkpoint(trained / "models/model.ckpt")
    saved["hyper_parameters"]["classes"] = list("abcdefghij")
    torch.save(saved, "letters.ckpt")
    code, _, error = cli("compare", *options, "checkpoint=letters.ckpt")
    assert (code, len(error.splitlines())) == (2, 1)
    assert "letters.ckpt" in error
