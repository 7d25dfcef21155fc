"""What every network promises: found by its file in configs/model/."""

import contextlib
import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from sources import data_options
from torch import nn

from {{ cookiecutter.project_slug }} import UserError, networks
from {{ cookiecutter.project_slug }}.networks import base
from {{ cookiecutter.project_slug }}.networks.base import build_network, check_network

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
NAMES = sorted(path.stem for path in CONFIGS.glob("model/*.yaml"))
DATA_SETS = sorted(path.stem for path in CONFIGS.glob("data/*.yaml"))
CLASSES = 4


@pytest.fixture(params=NAMES)
def spec(request, configure) -> dict:
    """The plain values that build a network, such as those that a checkpoint holds."""
    return OmegaConf.to_container(configure(f"model={request.param}").model.network, resolve=True)


@pytest.fixture(scope="module", params=DATA_SETS)
def image_shape(request, configure, tmp_path_factory) -> list[int]:
    """Channels, height and width of the images of each data set."""
    with contextlib.chdir(tmp_path_factory.mktemp(request.param)):
        data = instantiate(configure(*data_options(request.param)).data)
        data.prepare_data()
        return data.image_shape


@pytest.fixture
def network(spec, image_shape) -> nn.Module:
    torch.manual_seed(0)
    return build_network(spec, image_shape, CLASSES)


def build(target: object, shape: list[int]) -> nn.Module:
    options = {}
    options["_target_"] = target
    return build_network(options, shape, CLASSES)


def noise(count: int, shape: list[int]) -> torch.Tensor:
    return torch.randint(256, (count, *shape), dtype=torch.uint8)


def test_each_network_has_one_module_and_one_configuration_of_its_name():
    modules = {module.name for module in iter_modules(networks.__path__)}
    assert sorted(modules - {"base"}) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_configuration_names_the_class_of_its_module(configure, name):
    module, _, target = configure(f"model={name}").model.network._target_.rpartition(".")
    assert module == f"{networks.__name__}.{name}"
    assert issubclass(getattr(import_module(module), target), nn.Module)


def test_networks_map_images_to_logits(network, image_shape):
    logits = network(noise(5, image_shape))
    assert logits.shape == (5, CLASSES)
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()


def test_the_loss_reaches_every_weight(network, image_shape):
    labels = torch.arange(8) % CLASSES
    nn.functional.cross_entropy(network(noise(8, image_shape)), labels).backward()
    unreached = [
        name
        for name, weight in network.named_parameters()
        if weight.requires_grad and (weight.grad is None or not weight.grad.any())
    ]
    assert unreached == []


def test_an_image_is_classified_alike_alone_and_in_a_batch(network, image_shape):
    network.eval()
    images = noise(5, image_shape)
    alone = torch.cat([network(images[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(network(images), alone)


def test_plain_values_and_weights_rebuild_a_network(network, spec, image_shape):
    rebuilt = build_network(json.loads(json.dumps(spec)), image_shape, CLASSES)
    rebuilt.load_state_dict(network.state_dict())
    images = noise(2, image_shape)
    assert torch.equal(rebuilt.eval()(images), network.eval()(images))


def add_network(monkeypatch, name: str, network: type[nn.Module]) -> str:
    """Put a class where the module of a user's network would hold it."""
    monkeypatch.setattr(base, name, network, raising=False)
    return f"{base.__name__}.{name}"


def test_any_module_is_a_network_and_gets_pixels_from_0_to_1(monkeypatch):
    seen = []

    class Plain(nn.Module):
        def __init__(self, num_classes: int, width: int = 2) -> None:
            super().__init__()
            self.last = nn.Linear(64, num_classes * width // width)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            seen.append(pixels)
            return self.last(pixels.flatten(1))

    target = add_network(monkeypatch, "Plain", Plain)
    network = build_network({"width": 3, "_target_": target}, [1, 8, 8], CLASSES)
    white = torch.full((2, 1, 8, 8), 255, dtype=torch.uint8)
    assert network(white).shape == (2, CLASSES)
    assert torch.equal(seen[0], torch.ones(2, 1, 8, 8))


class TooFewLogits(nn.Module):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels.flatten(1)[:, : CLASSES - 1]


class NoTensor(nn.Module):
    def forward(self, pixels: torch.Tensor) -> dict:
        return {"logits": pixels.flatten(1)[:, :CLASSES]}


class OtherImages(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(3 * 32 * 32, CLASSES)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.last(pixels.flatten(1))


@pytest.mark.parametrize(
    ("network", "named"), [(TooFewLogits, "2, 3"), (NoTensor, "dict"), (OtherImages, "1 x 8 x 8")]
)
def test_a_network_that_does_not_fit_the_data_is_refused_in_one_line(monkeypatch, network, named):
    made = build(add_network(monkeypatch, "Odd", network), [1, 8, 8])
    with pytest.raises(UserError, match=named) as error:
        check_network(made, [1, 8, 8], CLASSES)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["cnn.CNN", "mlp.MLP"])
@pytest.mark.parametrize("shape", [[1, 8, 8], [3, 32, 32], [3, 9, 15]])
def test_cnn_and_mlp_take_images_of_any_shape(name, shape):
    network = build(f"{networks.__name__}.{name}", shape)
    assert network(noise(5, shape)).shape == (5, CLASSES)


@pytest.mark.parametrize(
    ("target", "named"),
    [
        (None, "None"),
        ("os.system", "os.system"),
        ("{{ cookiecutter.project_slug }}.cli.main", "cli.main"),
        (f"{networks.__name__}.vit.ViT", "No module named"),
        (f"{networks.__name__}.cnn.ResNet", "ResNet"),
        (f"{networks.__name__}.cnn.pairwise", "pairwise"),
        (f"{networks.__name__}.base.build_network", "build_network"),
        (f"{networks.__name__}.cnn.UserError", "UserError"),
        (f"{networks.__name__}.\0.CNN", "CNN"),
    ],
)
def test_what_names_no_network_is_refused_in_one_line(target, named):
    with pytest.raises(UserError, match=named) as error:
        build(target, [1, 8, 8])
    assert len(str(error.value).splitlines()) == 1


def test_a_checkpoint_can_not_choose_what_is_imported(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    module = (tmp_path / "stranger").with_suffix(".py")
    module.write_text("raise SystemExit('imported')\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"stranger\.Network"):
        build("stranger.Network", [1, 8, 8])


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("cnn.CNN", "channels", [0]),
        ("cnn.CNN", "channels", []),
        ("cnn.CNN", "dropout", 2),
        ("mlp.MLP", "hidden", [8, -1]),
        ("mlp.MLP", "dropout", "much"),
    ],
)
def test_a_value_that_builds_no_network_is_refused_in_one_line(name, option, value):
    options = {option: value}
    options["_target_"] = f"{networks.__name__}.{name}"
    with pytest.raises(UserError, match=r"model\.network") as error:
        build_network(options, [1, 8, 8], CLASSES)
    assert len(str(error.value).splitlines()) == 1


def test_an_unknown_option_is_named(spec):
    with pytest.raises(UserError, match="kernel"):
        build_network(spec | {"kernel": 5}, [1, 8, 8], CLASSES)
