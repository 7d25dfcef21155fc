"""The HTTP service as a Lambda function: the same application, fed with an HTTP API's events."""

import asyncio
import logging

from mangum import Mangum

{% if cookiecutter.serving == "fastapi" -%}
from ..inference.predictor import Predictor
from .api import create_app
from .settings import read_settings

settings = read_settings()
app = create_app(Predictor(settings.model, threads=settings.threads), settings)
{%- else -%}
from .bento import service, settings

app = service.to_asgi()
{%- endif %}
# Mangum would start and stop the application around each event
lifespan = app.router.lifespan_context(app)


async def start() -> None:
    """Start the application, and wait until its model has answered once."""
    await lifespan.__aenter__()
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})


# Before the first event: what a container does before it asks for one is not billed twice
logging.getLogger().setLevel(settings.log_level)
logging.getLogger("mangum").setLevel(logging.WARNING)  # the service logs its requests itself
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(start())
handler = Mangum(app, lifespan="off")
