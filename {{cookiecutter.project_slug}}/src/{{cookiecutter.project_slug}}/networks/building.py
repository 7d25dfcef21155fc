"""Building the network that a configuration or a checkpoint names."""

from collections.abc import Mapping
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from .. import UserError
from ..lookup import find_class
from .base import Network, as_network


def build_network(
    settings: Mapping[str, Any], inputs: Mapping[str, Any], num_classes: int
) -> Network:
    """Make a network from plain values, such as those that a checkpoint holds.

    Args:
        settings: `_target_`, the dotted name of a class in this package, and its options.
        inputs: What is known of the inputs, as `InputSpec.network_options` returns it. The class
            gets each value if its constructor has a parameter of this name.
        num_classes: Number of outputs; the class gets it in the same way.

    Raises:
        UserError: There is no such network, or it can't work with these options and inputs.
    """
    options = dict(settings)
    network = find_class(options.pop("_target_", None), __package__, nn.Module, "model.network")
    known = {**inputs, "num_classes": num_classes}
    takes = signature(network).parameters
    try:
        made = network(**{name: known[name] for name in known if name in takes}, **options)
    except (TypeError, ValueError) as error:
        raise UserError(f"model.network: {error}") from error
    return as_network(made)


def check_network(network: Network, samples: Tensor, num_classes: int) -> None:
    """Run a network once, so that one that does not fit the data fails before the training.

    Args:
        network: The network, which stays as it is.
        samples: A few inputs.
        num_classes: Number of outputs that it should return for each sample.

    Raises:
        UserError: It can't work with these inputs, or returns something else.
    """
    was_training = network.training
    try:
        with torch.no_grad():
            outputs = network.eval()(samples)
    except (RuntimeError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        shape = " x ".join(str(side) for side in samples.shape[1:])
        raise UserError(f"model.network fails on inputs of {shape}: {reason}") from error
    finally:
        network.train(was_training)
    returned = list(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
    expected = [len(samples), num_classes]
    if returned != expected:
        raise UserError(
            f"model.network returns {returned} for {len(samples)} samples: it must return a tensor "
            f"of {expected}"
        )
