"""The HTTP service as a Lambda function: the same application, given an HTTP API's events."""

import asyncio
import logging

from mangum import Mangum

from .api import load_app
from .settings import read_settings

app = load_app()
# Mangum would start and stop the application around each event
lifespan = app.router.lifespan_context(app)


async def start() -> None:
    """Start the application, and wait for the model's first answer."""
    await lifespan.__aenter__()
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})


# At import: the first event then finds a model that has answered
logging.getLogger().setLevel(read_settings().log_level)
logging.getLogger("mangum").setLevel(logging.WARNING)  # the service logs its requests itself
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(start())
handler = Mangum(app, lifespan="off")
