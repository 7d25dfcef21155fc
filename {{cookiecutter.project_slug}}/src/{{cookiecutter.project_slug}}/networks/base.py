"""What all networks share, and building the one that a configuration or a checkpoint names."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from torch import Tensor, nn

from .. import UserError


class Network(nn.Module):
    """Maps pixels as they are stored to logits, so that the scaling travels with the weights.

    A subclass takes the image shape and the number of classes, and sets `layers`.
    """

    layers: nn.Sequential

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


def build_network(
    spec: Mapping[str, Any], image_shape: Sequence[int], num_classes: int
) -> nn.Module:
    """Make a network from plain values, such as those that a checkpoint holds.

    Args:
        spec: `_target_`, the dotted name of a class in this package, and the options of the class.
        image_shape: Channels, height and width of the images, the sides in pixels.
        num_classes: Number of logits.

    Raises:
        UserError: There is no such network, or it can't work with these options and images.
    """
    options = dict(spec)
    network = find_network(options.pop("_target_", None))
    try:
        return network(image_shape, num_classes, **options)
    except TypeError as error:
        raise UserError(f"model.network: {error}") from error


def find_network(target: object) -> type[nn.Module]:
    """Import the class that `target` names.

    A checkpoint is data, and may come from elsewhere: it must not choose any module to import or
    any function to call, so only this package's classes of networks are looked for.

    Raises:
        UserError: `target` names something else, or its module can't be imported.
    """
    module, _, name = str(target).rpartition(".")
    wrong = f"model.network._target_ is {target!r}"
    if not module.startswith(f"{__package__}."):
        raise UserError(f"{wrong}: name a class in networks/, such as {__package__}.cnn.CNN")
    try:
        found = getattr(import_module(module), name, None)
    except (ImportError, ValueError) as error:
        raise UserError(f"{wrong}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise UserError(f"{wrong}, but {module} has no network of this name")
    return found
