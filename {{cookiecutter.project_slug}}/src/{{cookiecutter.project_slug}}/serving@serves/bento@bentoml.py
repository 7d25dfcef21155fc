"""The BentoML service: adaptive batches around one `Predictor`, behind a small HTTP surface.

`service.py` runs it in its own process; `bentoml serve` and `bentoml build` take it from here.
"""

import asyncio
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import bentoml
import numpy as np
from bentoml import IODescriptor
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import UserError
from ..inference.predictor import Prediction, Predictor
from .openapi import PAGE, document
from .payloads import (
    PACKAGE,
    PredictResponse,
    UnknownFormatError,
    decode_picture,
    describe,
    mistakes,
    request_model,
)
from .settings import read_settings

settings = read_settings()  # what is below is set while it is imported

# BentoML wants at least two images in a batch, or none of its batching
BATCHES: dict[str, Any] = {
    "batchable": settings.max_batch > 1,
    "max_batch_size": max(2, settings.max_batch),
    "max_latency_ms": int(settings.timeout * 1000),
}


@cache
def load() -> Predictor:
    """Load the model, once in a process."""
    return Predictor(settings.model, threads=settings.threads)


@cache
def request_type() -> type[BaseModel]:
    """Make the type of a request for the images that the model takes."""
    return request_model(load().image_shape, settings.max_batch)


class Refused(BaseException):
    """A request that is not answered, and why.

    It is no `Exception`, as BentoML would log that with its traceback and answer 500.
    """

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(status, detail)
        self.status, self.detail = status, detail


class Limits:
    """Answers what is refused: large bodies, images behind too many others, what takes too long.

    Args:
        app: What handles the requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.images = 0  # that wait or are being classified

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        read = mine = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > settings.max_body:
                raise Refused(413, f"the body is larger than {settings.max_body} bytes")
            return message

        def admit(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
            nonlocal mine
            if self.images + len(images) > settings.max_queue:
                raise Refused(503, "too many images wait")
            mine = len(images)
            self.images += mine
            return images

        async def in_time(message: Message) -> None:
            if timer.expired():  # BentoML's batching answers 503 when it is cancelled
                raise late
            await send(message)

        scope["admit"] = admit
        late = Refused(504, f"no answer within {settings.timeout:g} s")
        try:
            try:
                async with asyncio.timeout(settings.timeout) as timer:
                    await self.app(scope, limited, in_time)
            except TimeoutError:
                raise late from None
        except Refused as refused:
            headers = {"Retry-After": "1"} if refused.status == 503 else None
            answer = JSONResponse({"detail": refused.detail}, refused.status, headers)
            await answer(scope, receive, send)
        finally:
            self.images -= mine


class Images(IODescriptor):
    """A batch of images, as nested lists of pixels."""

    images: list[list[list[list[int]]]]

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> IODescriptor:
        """Read the body, and say which of its elements is wrong."""
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise Refused(415, "the body has to be application/json")
        try:
            asked: Any = request_type().model_validate_json(await request.body())
        except ValidationError as error:
            raise Refused(422, mistakes(error)) from None
        images = np.array(asked.images, np.uint8)
        return cls.model_construct(images=request.scope["admit"](images))


class Picture(IODescriptor):
    """An uploaded picture of any size, PNG or JPEG."""

    file: Path

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> IODescriptor:
        """Decode the upload."""
        try:
            upload = (await request.form()).get("file")
        except HTTPException as error:
            raise Refused(error.status_code, error.detail) from None
        if not isinstance(upload, UploadFile):
            missing = {"type": "missing", "loc": ["file"], "msg": "Upload required"}
            raise Refused(422, [missing])
        content = await upload.read()
        shape = load().image_shape
        try:
            images = await run_in_threadpool(decode_picture, content, shape, settings.max_pixels)
        except UnknownFormatError as error:
            raise Refused(415, str(error)) from None
        except UserError as error:
            raise Refused(400, str(error)) from None
        return cls.model_construct(file=request.scope["admit"](images))


class Answers(IODescriptor):
    """One prediction for each image, in the order of the request."""

    predictions: list[Prediction]

    @classmethod
    async def to_http_response(cls, obj: list[Prediction], serde: Any) -> Response:
        """Write the predictions of one request."""
        answer = PredictResponse.model_construct(predictions=obj)
        return Response(answer.model_dump_json(), media_type="application/json")


class Answer(IODescriptor):
    """The prediction for one picture."""

    label: str
    probability: float

    @classmethod
    async def to_http_response(cls, obj: list[Prediction], serde: Any) -> Response:
        """Write the prediction of one request."""
        return JSONResponse(asdict(obj[0]))


async def model(request: Request) -> Response:
    """Describe the model."""
    return JSONResponse(describe(load()).model_dump())


async def docs(request: Request) -> Response:
    """Say how requests and answers look: BentoML's own document knows no status but its own."""
    return JSONResponse(document(request_type(), load().version))


async def page(request: Request) -> Response:
    """Show the document: BentoML's own page would load Google's Tag Manager."""
    return HTMLResponse(PAGE)


class Classifier:
    """Classifies images."""

    def __init__(self) -> None:
        self.predictor = load()
        self.ready = False

    @bentoml.on_startup
    async def start(self) -> None:
        """Warm the model up while probes are answered already."""
        self.warm_up = asyncio.create_task(self.answer_once())

    async def answer_once(self) -> None:
        """Let the model answer: the first batch takes longer than those that follow."""
        images = np.zeros((1, *self.predictor.image_shape), np.uint8)
        await run_in_threadpool(self.predictor.probabilities, images)
        self.ready = True

    async def __is_ready__(self) -> bool:
        """Say whether the model has answered its first batch: what /readyz asks."""
        return self.ready

    @bentoml.api(route="/predict", input_spec=Images, output_spec=Answers, **BATCHES)
    def predict(self, images: NDArray[np.uint8]) -> list[Prediction]:
        """Classify a batch of images, given as nested lists of pixels."""
        return self.predictor.classify(images)

    @bentoml.api(route="/predict/file", input_spec=Picture, output_spec=Answer, **BATCHES)
    def predict_file(self, file: NDArray[np.uint8]) -> list[Prediction]:
        """Classify a picture of any size, PNG or JPEG."""
        return self.predictor.classify(file)


service = bentoml.service(
    name=PACKAGE,
    workers=1,
    threads=1,  # that call the model
    traffic={"timeout": settings.timeout * 2},  # `Limits` is first: this one answers twice
)(Classifier)
service.add_asgi_middleware(Limits)
service.mount_asgi_app(
    Starlette(routes=[Route("/", page), Route("/docs.json", docs), Route("/model", model)])
)
