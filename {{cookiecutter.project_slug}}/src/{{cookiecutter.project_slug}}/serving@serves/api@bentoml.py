"""The HTTP service: loads the application of `bento.py` and serves it in this process."""

import atexit
import os
from shutil import rmtree
from tempfile import mkdtemp

from starlette.applications import Starlette

from .payloads import PACKAGE
from .server import main, run


def load_app() -> Starlette:
    """Load the model and make the application around it, as the settings say.

    Raises:
        UserError: A setting or the model's file can't be used.
    """
    from bentoml import server_context

    from .bento import load, make_app

    server_context.bento_name = PACKAGE  # a label of every metric
    load()
    return make_app()


def serve() -> None:
    """Serve until SIGTERM or Ctrl-C.

    Raises:
        UserError: A setting, the model's file or the port can't be used.
    """
    # BentoML would write to the home folder, and the counters of /metrics to the current one
    folder = mkdtemp()
    atexit.register(rmtree, folder, ignore_errors=True)
    os.environ["BENTOML_HOME"] = os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    run(load_app)


if __name__ == "__main__":
    main(serve)
