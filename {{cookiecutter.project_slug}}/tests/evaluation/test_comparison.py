from pathlib import Path

import example
import numpy as np
import pytest
import torch

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.evaluation.classification import Classification
from {{ cookiecutter.project_slug }}.evaluation.comparison import compare, compare_answers
from {{ cookiecutter.project_slug }}.inference.checkpoint import load_checkpoint


@pytest.fixture
def settings(configure, options, trained):
    """Configure a comparison to the trained checkpoint."""
    current = f"current={trained / 'models/model.ckpt'}"
    return lambda *overrides: configure(*options, current, *overrides, config="evaluate")


@pytest.fixture
def spoilt(trained):
    """Write a checkpoint whose last layer has forgotten much."""
    saved = load_checkpoint(trained / "models/model.ckpt")
    name = list(saved["state_dict"])[-1]
    saved["state_dict"][name] += torch.linspace(0, 20, len(saved["state_dict"][name]))
    torch.save(saved, "spoilt.ckpt")
    return "checkpoint=spoilt.ckpt"


def test_a_model_is_no_worse_than_itself(settings, capsys):
    comparison = compare(settings())
    assert (comparison.lost, comparison.gained) == (0, 0)
    assert comparison.current == comparison.candidate
    assert "no worse than" in capsys.readouterr().out


def test_a_worse_candidate_ends_with_code_1_after_its_report(settings, spoilt, capsys):
    with pytest.raises(SystemExit, match="1"):
        compare(settings(spoilt))
    output = capsys.readouterr().out
    assert "The candidate is worse than" in output
    assert Path("reports/comparison.md").read_text("utf-8") == output


def test_the_command_exits_with_that_code(cli, options, trained, spoilt):
    current = f"current={trained / 'models/model.ckpt'}"
    code, output, _ = cli("compare", *example.OPTIONS, options[0], current, spoilt)
    assert (code, output.count("The candidate is worse than")) == (1, 1)


def test_a_candidate_may_lose_as_much_as_is_allowed(settings, spoilt):
    comparison = compare(settings(spoilt, "max_quality_loss=1.0"))
    assert comparison.candidate["accuracy"] < comparison.current["accuracy"]


def test_losses_and_gains_explain_the_change():
    labels = np.array([0, 1, 2, 0])
    current, candidate = (
        np.eye(3, dtype=np.float32)[answer] for answer in ([0, 1, 2, 1], [1, 2, 2, 0])
    )
    scoring = Classification(["a", "b", "c"])
    comparison = compare_answers(scoring, current, candidate, labels, 0.3)
    assert (comparison.lost, comparison.gained) == (2, 1)
    change = comparison.candidate["accuracy"] - comparison.current["accuracy"]
    assert change == (comparison.gained - comparison.lost) / len(labels)
    assert not comparison.worse
    assert "| accuracy | 0.7500 | 0.5000 | -0.2500 |" in comparison.markdown()


def test_models_of_other_classes_are_refused(settings, trained):
    saved = load_checkpoint(trained / "models/model.ckpt")
    saved["hyper_parameters"]["classes"] = saved["hyper_parameters"]["classes"][::-1]
    torch.save(saved, "reversed.ckpt")
    with pytest.raises(UserError, match=r"reversed\.ckpt were trained on different"):
        compare(settings("checkpoint=reversed.ckpt"))
