"""Starting from weights that exist already, and keeping some of them."""

import logging
from collections.abc import Sequence
from io import BytesIO
from pickle import UnpicklingError

import torch
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor, nn

from .. import UserError
from ..inference.model_file import read_model

log = logging.getLogger(__name__)


def load_fitting(network: nn.Module, path: str) -> None:
    """Copy the weights of a file into a network, where names and shapes fit; list the others.

    Args:
        network: The network that changes.
        path: A checkpoint of `train`, or a file with a dictionary of names and tensors.

    Raises:
        UserError: The file can't be read, holds no weights, or none that fits.
    """
    given, own = read_weights(path), network.state_dict()
    fitting = {
        name: weight
        for name, weight in given.items()
        if name in own and weight.shape == own[name].shape
    }
    if not fitting:
        raise UserError(
            f"model.init_from: of the {len(given)} weights in {path} none fits the network: its "
            f"first is {_name_first(given)}, the network's first is {_name_first(own)}"
        )
    network.load_state_dict(fitting, strict=False)
    others = {
        "missing in the file": own.keys() - given.keys(),
        "not in the network": given.keys() - own.keys(),
        "of another shape": (given.keys() & own.keys()) - fitting.keys(),
    }
    lines = [f"  {what}: {', '.join(sorted(names))}" for what, names in others.items() if names]
    count = f"{len(fitting)} of the network's {len(own)} weights are from {path}"
    rank_zero_only(log.info)("\n".join([count, *lines]))


def freeze_parts(network: nn.Module, parts: Sequence[str]) -> None:
    """Keep the weights of some parts of a network as they are in the training.

    What is no weight, such as the running means of batch normalisation, follows the data as before.

    Args:
        network: The network.
        parts: Names of modules or weights, or their ends or middles, such as `embedding` or
            `encoder.layer.0`: all weights whose names hold one of them are kept.

    Raises:
        UserError: The network has no such part, or no weight is left to train.
    """
    if isinstance(parts, str):
        raise UserError(f"model.freeze is {parts!r}: give a list, such as [{parts}]")
    weights = dict(network.named_parameters())
    for part in parts:
        kept = [name for name in weights if f".{part}." in f".{name}."]
        if not kept:
            first = next(iter(weights))
            raise UserError(f"model.freeze: no weight's name holds {part}; one is called {first}")
        for name in kept:
            weights[name].requires_grad_(False)
    trained = sum(weight.requires_grad for weight in weights.values())
    if parts and not trained:
        raise UserError("model.freeze leaves no weight to train")
    if parts:
        rank_zero_only(log.info)(f"{trained} of the network's {len(weights)} weights are trained")


def read_weights(path: str) -> dict[str, Tensor]:
    """Read the tensors of a file by name; no code in it can run.

    Raises:
        UserError: The file can't be read, or holds no weights.
    """
    content = read_model(path, "train")
    try:
        saved = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise UserError(
            f"model.init_from: {path} is no file of PyTorch, or holds Python objects, which could "
            "run code: save its state_dict() alone"
        ) from error
    except (EOFError, KeyError, OSError, RuntimeError, ValueError) as error:
        raise UserError(f"model.init_from: {path} is no file of PyTorch, or damaged") from error
    named = saved.get("state_dict", saved) if isinstance(saved, dict) else {}
    weights = {
        str(name).removeprefix("network."): value
        for name, value in named.items()
        if isinstance(value, Tensor)
    }
    if not weights:
        raise UserError(f"model.init_from: {path} holds no names with tensors: save a state_dict()")
    return weights


def _name_first(weights: dict[str, Tensor]) -> str:
    name, weight = next(iter(weights.items()))
    return f"{name} {tuple(weight.shape)}"
