"""What every network promises: found by its file in configs/model/."""

import contextlib
import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import example
import pytest
import torch
from data_sets import data_options
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn

from {{ cookiecutter.project_slug }} import UserError, networks
from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec
from {{ cookiecutter.project_slug }}.networks import building
from {{ cookiecutter.project_slug }}.networks.building import build_network, check_network

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
NAMES = sorted(path.stem for path in CONFIGS.glob("model/*.yaml"))
DATA_SETS = sorted(path.stem for path in CONFIGS.glob("data/*.yaml"))
CLASSES = 4


@pytest.fixture(params=NAMES)
def settings(request, configure) -> dict:
    """The plain values that build a network, such as those that a checkpoint holds."""
    if package := example.NEEDS.get(request.param):
        pytest.importorskip(package)
    return OmegaConf.to_container(configure(f"model={request.param}").model.network, resolve=True)


@pytest.fixture(scope="module", params=DATA_SETS)
def spec(request, configure, tmp_path_factory) -> InputSpec:
    """What the inputs of each data set are."""
    with contextlib.chdir(tmp_path_factory.mktemp(request.param)):
        data = instantiate(configure(*data_options(request.param)).data)
        data.prepare_data()
        return data.input_spec


@pytest.fixture
def network(settings, spec) -> nn.Module:
    torch.manual_seed(0)
    return build_network(settings, spec.network_options(), CLASSES)


def build(target: object) -> nn.Module:
    options = {}
    options["_target_"] = target
    return build_network(options, example.SPEC.network_options(), CLASSES)


def noise(count: int, spec: InputSpec = example.SPEC) -> torch.Tensor:
    return torch.from_numpy(example.random_inputs(count, spec))


def test_each_network_has_one_module_and_one_configuration_of_its_name():
    modules = {module.name for module in iter_modules(networks.__path__)}
    assert sorted(modules - {"base", "building"}) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_configuration_names_the_class_of_its_module(configure, name):
    module, _, target = configure(f"model={name}").model.network._target_.rpartition(".")
    assert module == f"{networks.__name__}.{name}"
    assert issubclass(getattr(import_module(module), target), nn.Module)


def test_networks_map_inputs_to_logits(network, spec):
    logits = network(noise(5, spec))
    assert logits.shape == (5, CLASSES)
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()


def test_the_loss_reaches_every_weight(network, spec):
    labels = torch.arange(8) % CLASSES
    nn.functional.cross_entropy(network(noise(8, spec)), labels).backward()
    unreached = [
        name
        for name, weight in network.named_parameters()
        if weight.requires_grad and (weight.grad is None or not weight.grad.any())
    ]
    assert unreached == []


def test_a_sample_is_classified_alike_alone_and_in_a_batch(network, spec):
    network.eval()
    inputs = noise(5, spec)
    alone = torch.cat([network(inputs[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(network(inputs), alone)


def test_plain_values_and_weights_rebuild_a_network(network, settings, spec):
    rebuilt = build_network(json.loads(json.dumps(settings)), spec.network_options(), CLASSES)
    rebuilt.load_state_dict(network.state_dict())
    inputs = noise(2, spec)
    assert torch.equal(rebuilt.eval()(inputs), network.eval()(inputs))


def add_network(monkeypatch, name: str, network: type[nn.Module]) -> str:
    """Put a class where the module of a user's network would hold it."""
    monkeypatch.setattr(building, name, network, raising=False)
    return f"{building.__name__}.{name}"


class TooFewLogits(nn.Module):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(inputs), CLASSES - 1)


class NoTensor(nn.Module):
    def forward(self, inputs: torch.Tensor) -> dict:
        return {"logits": torch.zeros(len(inputs), CLASSES)}


class OtherInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(12_345, CLASSES)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.last(inputs.flatten(1).float())


SHAPE = " x ".join(map(str, example.SPEC.shape))


@pytest.mark.parametrize(
    ("network", "named"), [(TooFewLogits, "2, 3"), (NoTensor, "dict"), (OtherInputs, SHAPE)]
)
def test_a_network_that_does_not_fit_the_data_is_refused_in_one_line(monkeypatch, network, named):
    made = build(add_network(monkeypatch, "Odd", network))
    with pytest.raises(UserError, match=named) as error:
        check_network(made, noise(2), CLASSES)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("target", "named"),
    [
        (None, "None"),
        ("os.system", "os.system"),
        ("{{ cookiecutter.project_slug }}.cli.main", "cli.main"),
        (f"{networks.__name__}.vit.ViT", "No module named"),
        (f"{networks.__name__}.base.ResNet", "ResNet"),
        (f"{networks.__name__}.base.as_network", "as_network"),
        (f"{networks.__name__}.building.build_network", "build_network"),
        (f"{networks.__name__}.building.UserError", "UserError"),
        (f"{networks.__name__}.\0.Net", "Net"),
    ],
)
def test_what_names_no_network_is_refused_in_one_line(target, named):
    with pytest.raises(UserError, match=named) as error:
        build(target)
    assert len(str(error.value).splitlines()) == 1


def test_a_checkpoint_can_not_choose_what_is_imported(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    module = (tmp_path / "stranger").with_suffix(".py")
    module.write_text("raise SystemExit('imported')\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"stranger\.Network"):
        build("stranger.Network")


def test_an_unknown_option_is_named(settings):
    with pytest.raises(UserError, match="size"):
        build_network(settings | {"size": 5}, example.SPEC.network_options(), CLASSES)
