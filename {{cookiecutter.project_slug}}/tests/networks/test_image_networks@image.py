"""What the networks for images do with their options, and with images of any shape."""

import pytest
import torch
from torch import nn

from {{ cookiecutter.project_slug }} import UserError, networks
from {{ cookiecutter.project_slug }}.networks import base
from {{ cookiecutter.project_slug }}.networks.building import build_network

CLASSES = 4


def build(name: str, shape: list[int], **options: object) -> nn.Module:
    options["_target_"] = f"{networks.__name__}.{name}"
    return build_network(options, {"image_shape": shape}, CLASSES)


@pytest.mark.parametrize("name", ["cnn.CNN", "mlp.MLP"])
@pytest.mark.parametrize("shape", [[1, 8, 8], [3, 32, 32], [3, 9, 15]])
def test_cnn_and_mlp_take_images_of_any_shape(name, shape):
    network = build(name, shape)
    images = torch.randint(256, (5, *shape), dtype=torch.uint8)
    assert network(images).shape == (5, CLASSES)


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
    with pytest.raises(UserError, match=r"model\.network") as error:
        build(name, [1, 8, 8], **{option: value})
    assert len(str(error.value).splitlines()) == 1


def test_any_module_is_a_network_and_gets_pixels_from_0_to_1(monkeypatch):
    seen = []

    class Plain(nn.Module):
        def __init__(self, num_classes: int, width: int = 2) -> None:
            super().__init__()
            self.last = nn.Linear(64, num_classes * width // width)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            seen.append(pixels)
            return self.last(pixels.flatten(1))

    monkeypatch.setattr(base, "Plain", Plain, raising=False)
    network = build("base.Plain", [1, 8, 8], width=3)
    white = torch.full((2, 1, 8, 8), 255, dtype=torch.uint8)
    assert network(white).shape == (2, CLASSES)
    assert torch.equal(seen[0], torch.ones(2, 1, 8, 8))
