"""What all networks share, and building the one that a configuration or a checkpoint names."""

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from .. import UserError
from ..lookup import find_class


class Network(nn.Module):
    """Maps pixels as they are stored to logits, so that the scaling travels with the weights.

    A subclass sets `layers`.
    """

    layers: nn.Module

    def forward(self, images: Tensor) -> Tensor:
        """Classify a batch.

        Args:
            images: uint8 pixels of shape (batch, channels, height, width), 0 to 255; `layers` get
                them as floats from 0 to 1.

        Returns:
            Logits of shape (batch, classes).
        """
        logits: Tensor = self.layers(images.float() / 255)
        return logits


class Scaled(Network):
    """Any other module that maps floats from 0 to 1 to logits, as a `Network`."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers


def build_network(spec: Mapping[str, Any], image_shape: Sequence[int], num_classes: int) -> Network:
    """Make a network from plain values, such as those that a checkpoint holds.

    Args:
        spec: `_target_`, the dotted name of a class in this package, and the options of the class.
        image_shape: Channels, height and width of the images, the sides in pixels; the class gets
            them if its constructor has a parameter of this name.
        num_classes: Number of logits; the class gets it in the same way.

    Raises:
        UserError: There is no such network, or it can't work with these options and images.
    """
    options = dict(spec)
    network = find_class(options.pop("_target_", None), __package__, nn.Module, "model.network")
    known = {"image_shape": image_shape, "num_classes": num_classes}
    takes = signature(network).parameters
    try:
        made = network(**{name: known[name] for name in known if name in takes}, **options)
    except (TypeError, ValueError) as error:
        raise UserError(f"model.network: {error}") from error
    return made if isinstance(made, Network) else Scaled(made)


def check_network(network: Network, image_shape: Sequence[int], num_classes: int) -> None:
    """Run a network once, so that one that does not fit the data fails before the training.

    Args:
        network: The network, which stays as it is.
        image_shape: Channels, height and width of the images, the sides in pixels.
        num_classes: Number of logits that it should return for each image.

    Raises:
        UserError: It can't work with these images, or returns something else.
    """
    was_training = network.training
    images = torch.zeros((2, *image_shape), dtype=torch.uint8)
    try:
        with torch.no_grad():
            logits = network.eval()(images)
    except (RuntimeError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        shape = " x ".join(str(side) for side in image_shape)
        raise UserError(f"model.network fails on images of {shape}: {reason}") from error
    finally:
        network.train(was_training)
    returned = list(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    if returned != [2, num_classes]:
        raise UserError(
            f"model.network returns {returned} for 2 images: it must return a tensor of "
            f"[2, {num_classes}], one logit for each class"
        )
