"""Opening the data set that a model was trained on."""

import logging
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from .. import UserError
from ..datasets.base import DataModule, build_data, plain_settings
from ..datasets.storage import is_stored, read_meta

if TYPE_CHECKING:
    from ..inference.checkpoint import CheckpointModel
    from ..inference.predictor import Predictor

log = logging.getLogger(__name__)


def open_data(cfg: DictConfig, model: "CheckpointModel | Predictor") -> DataModule:
    """Open the data set that a model was trained on, or another one with the same classes.

    Args:
        cfg: `data` describes another data set, or holds single settings that differ, or is not
            there; `checkpoint` names the model's file.
        model: The model, which remembers its data set.

    Raises:
        UserError: The data set has other classes or inputs than the model, or its arrays
            were made with other settings, or the model's file does not name its data set.
    """
    remembered = model.data or {}
    settings = plain_settings(cfg.get("data") or {})
    if "_target_" not in settings:
        settings = {**remembered.get("settings", {}), **settings}
    if "_target_" not in settings:
        raise UserError(f"{cfg.checkpoint} does not say what it was trained on: add data=<name>")
    try:
        data = build_data(settings)
    except (TypeError, ValueError) as error:
        raise UserError(f"{cfg.checkpoint} names data that can't be opened: {error}") from error
    if not is_stored(data.folder):
        data.prepare_data()
    elif read_meta(data.folder)["recipe"] != data.recipe:
        raise UserError(
            f"{data.folder} was made with other settings than {cfg.checkpoint} was trained with: "
            "its test split may hold samples of that training. Train again, or name another folder"
        )
    elif reason := data.outdated():
        log.warning("%s: %s; the arrays that were prepared before are used", data.folder, reason)
    if data.classes != model.classes or not data.input_spec.same_inputs(model.input_spec):
        raise UserError(
            f"{cfg.checkpoint} was trained on other classes or inputs than {data.folder} "
            "holds: leave out data=..., to take the data set of its training"
        )
    if data.digest != remembered.get("digest"):
        log.warning(
            "%s holds other samples than %s was trained with: its test split may hold samples of "
            "that training",
            data.folder,
            cfg.checkpoint,
        )
    return data
