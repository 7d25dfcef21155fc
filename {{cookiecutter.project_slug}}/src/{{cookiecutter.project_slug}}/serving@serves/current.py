"""The model that answers, and how another one takes its place without a restart."""

import logging
import multiprocessing
import os
import signal

from .. import UserError
from ..inference.predictor import Predictor
from .settings import Settings
from .worker import Worker

log = logging.getLogger(__name__)


class Current:
    """The model that answers.

    Args:
        predictor: The first one.
        settings: The file of those that follow.

    Attributes:
        predictor: The one of the moment. It changes between two batches.
    """

    def __init__(self, predictor: Predictor, settings: Settings) -> None:
        self.predictor, self.settings = predictor, settings
        self.loader = Worker("loader")

    async def reload(self) -> None:
        """Load the model's file again, and answer with it from the next batch on.

        Raises:
            UserError: It can't be used, or takes other inputs; the model in place goes on.
        """
        try:
            new = await self.loader.run(self.load)
        except UserError as error:
            log.error("the model %s is kept: %s", self.predictor.version, error)  # noqa: TRY400
            raise
        if new.version != self.predictor.version:
            log.info("the model %s follows %s", new.version, self.predictor.version)
            self.predictor = new

    async def reload_everywhere(self) -> None:
        """Reload, and have the other processes of the service do the same.

        Raises:
            UserError: The file can't be used; all of them go on with the model in place.
        """
        await self.reload()
        if parent := multiprocessing.parent_process():
            os.kill(parent.pid or 0, signal.SIGHUP)

    def load(self) -> Predictor:
        """Load the file, which tries the model, and compare it with the one in place.

        Raises:
            UserError: It can't be used, or takes other inputs.
        """
        old, new = self.predictor, Predictor(self.settings.model, threads=self.settings.threads)
        # Requests of the queue were read for the old one
        if (new.input_spec, new.target.prediction) != (old.input_spec, old.target.prediction):
            raise UserError(
                f"{new.path} takes other inputs than the model in place, or predicts something "
                "else: start the service again"
            )
        return new
