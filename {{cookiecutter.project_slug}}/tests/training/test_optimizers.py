import math
from types import SimpleNamespace

import pytest
import torch

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.training.optimizers import build_optimizer, build_scheduler

TRAINER = SimpleNamespace(max_epochs=4, estimated_stepping_batches=40)


def make_optimizer() -> torch.optim.Optimizer:
    parameters = [torch.nn.Parameter(torch.zeros(1))]
    return build_optimizer({"name": "SGD", "lr": 0.1}, parameters, None)


def rates(settings: dict, steps: int, trainer: object = TRAINER) -> list[float]:
    """Return the learning rate before each step."""
    optimizer = make_optimizer()
    made = build_scheduler(settings, optimizer, trainer)["scheduler"]
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        made.step()
    return [*found, optimizer.param_groups[0]["lr"]]


def options(configure, name: str) -> dict:
    from omegaconf import OmegaConf

    cfg = configure(f"scheduler={name}", "model.optimizer.lr=0.1")
    return OmegaConf.to_container(cfg.model, resolve=True)["scheduler"]


def test_the_rate_rises_and_then_falls_along_a_cosine(configure):
    settings = options(configure, "warmup_cosine")
    assert build_scheduler(settings, make_optimizer(), TRAINER)["interval"] == "step"
    found = rates(settings, 40)
    assert found[:5] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])
    cosine = [0.05 * (1 + math.cos(math.pi * step / 36)) for step in range(37)]
    assert found[4:] == pytest.approx(cosine, abs=1e-9)


def test_one_cycle_ends_with_the_run(configure):
    found = rates(options(configure, "one_cycle"), 39)
    assert max(found) == pytest.approx(0.1)
    assert found[0] == pytest.approx(0.1 / 25)
    assert 10 <= found.index(max(found)) <= 13
    assert found[-1] < 1e-5


def test_without_an_interval_a_step_is_an_epoch():
    settings = {"name": "CosineAnnealingLR", "T_max": "all_steps", "warmup": 0.25}
    assert build_scheduler(settings, make_optimizer(), TRAINER)["interval"] == "epoch"
    assert rates(settings, 4) == pytest.approx([0.05, 0.1, 0.075, 0.025, 0], abs=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_a_longer_run_can_continue_one_that_is_too_short_for_its_warmup(configure, steps):
    settings = options(configure, "warmup_cosine")
    runs = [
        build_scheduler(
            settings,
            make_optimizer(),
            SimpleNamespace(max_epochs=1, estimated_stepping_batches=count),
        )
        for count in (steps, 40)
    ]
    short, long = (run["scheduler"] for run in runs)
    long.load_state_dict(short.state_dict())
    assert long.get_last_lr() == pytest.approx([0.05])


def test_no_scheduler_is_a_choice(configure):
    assert options(configure, "none") is None


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"name": "StepLR", "step_size": 1, "interval": "batch"}, "interval"),
        ({"name": "StepLR", "step_size": 1, "warmup": 5}, "warmup"),
        ({"name": "CosineAnnealingLR", "T_max": "all_steps"}, r"trainer\.max_epochs"),
    ],
)
def test_a_setting_that_can_not_work_is_named(settings, named):
    endless = SimpleNamespace(max_epochs=-1, estimated_stepping_batches=math.inf)
    with pytest.raises(UserError, match=named):
        build_scheduler(settings, make_optimizer(), endless)
