"""Opening the data set that a model was trained on."""

from hydra.utils import instantiate
from omegaconf import DictConfig

from .. import UserError
from ..datasets.base import ImageDataModule


def open_data(cfg: DictConfig, classes: list[str], image_shape: list[int]) -> ImageDataModule:
    """Open the data set of a configuration, if it is the one that a model was trained on.

    Args:
        cfg: `data` describes the data set, `checkpoint` names the model.
        classes: The model's classes, in order.
        image_shape: Channels, height and width of the model's images, the sides in pixels.

    Raises:
        UserError: The model was trained on other classes or image shapes, or the data were split
            with other settings than these.
    """
    data: ImageDataModule = instantiate(cfg.data)
    if not data.is_prepared() and (data.folder / "meta.json").is_file():
        raise UserError(
            f"{data.folder} was made with other settings: pass the data settings of the training, "
            "or the test split may hold images that the model was trained on"
        )
    data.prepare_data()
    if data.classes != classes or data.image_shape != image_shape:
        raise UserError(
            f"{cfg.checkpoint} was trained on other classes or image shapes than {data.folder} "
            "holds: pass the data settings of the training, such as data=image_folder"
        )
    return data
