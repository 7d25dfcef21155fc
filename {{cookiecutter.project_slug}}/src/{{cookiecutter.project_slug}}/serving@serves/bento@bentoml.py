"""The BentoML service: adaptive batches around one `Predictor`, and few endpoints.

`api.py` runs it in its own process; `bentoml serve` and `bentoml build` import `service` from here.
"""

import asyncio
import logging
import time
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import bentoml
from bentoml import IODescriptor
from bentoml._internal.server.http_app import log_exception
from bentoml.exceptions import ServiceUnavailable
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import UserError
from ..inference.predictor import Predictor
from .access import check_admin, guard
from .current import Current
from .health import Health
from .open_inference import METHODS, MODEL, OpenInference
from .openapi import PAGE, document
from .payloads import (
    PACKAGE,
    UnknownFormatError,
    first_errors,
    has_more_values,
    has_room,
    model_info,
    response_type,
)
from .request_log import FAST, Refused, media_type, read_body, read_upload
from .requests import largest_json, most_values, read_file, request_type, to_inputs
from .settings import read_settings
from .worker import Readers

settings = read_settings()  # at import, because decorators below need them

# BentoML batches two samples or more; a limit of one turns its batching off
BATCHES: dict[str, Any] = {
    "batchable": settings.max_batch > 1,
    "max_batch_size": max(2, settings.max_batch),
    "max_latency_ms": int(settings.timeout * 1000),
}


@dataclass(frozen=True)
class Call:
    """A call of the model.

    Attributes:
        version: The version of the model.
        began: When it began, on `time.monotonic`.
        ended: When it ended.
    """

    version: str
    began: float
    ended: float


Answered = list[tuple[Any, Call]]  # each prediction, with the call that made it
request_scope: ContextVar[Scope] = ContextVar("request_scope")


@cache
def current() -> Current:
    """Load the model once in a process."""
    return Current(Predictor(settings.model, threads=settings.threads), settings)


def load() -> Predictor:
    """Return the model that answers."""
    return current().predictor


@cache
def readers() -> Readers:
    """Make the threads that read bodies once in a process."""
    return Readers()


@cache
def health() -> Health:
    """Make the state of the service once in a process."""
    return Health(settings)


@cache
def body_type() -> type[BaseModel]:
    """Make the type of the body of /predict for the model's inputs."""
    return request_type(load().input_spec, settings)


@cache
def answer_type() -> Any:
    """Make the type of an answer for the model's predictions."""
    return response_type(load().target)


@cache
def open_inference() -> OpenInference:
    """Make the Open Inference Protocol's endpoints of the model."""
    return OpenInference(current(), settings)


class Limits:
    """Refuses samples when too many wait, and answers that take too long.

    Args:
        app: The application that handles the requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.samples = 0  # waiting or in the model

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        mine = 0

        def admit(inputs: NDArray[Any]) -> NDArray[Any]:
            nonlocal mine
            if not has_room(self.samples, len(inputs), settings.max_batch, settings.max_queue):
                raise Refused(503, "too many samples wait", {"Retry-After": "1"})
            mine = len(inputs)
            self.samples += mine
            scope["admitted"] = time.monotonic()
            return inputs

        async def in_time(message: Message) -> None:
            # BentoML answers in its own words, also a request that is cancelled
            if left.cancelled():
                raise asyncio.CancelledError
            if timer.expired():
                raise late
            if "admitted" in scope and (status := message.get("status", 200)) >= 500:
                raise busy if status == 503 else Refused(status, "internal error")
            await send(message)

        scope["admit"] = admit
        request_scope.set(scope)
        busy = Refused(503, "the model is busy", {"Retry-After": "1"})
        late = Refused(504, f"no answer within {settings.timeout:g} s")
        left = scope["answer"] = asyncio.get_running_loop().create_future()
        if task := asyncio.current_task():
            left.add_done_callback(lambda _: task.cancel())  # `Connection` has cancelled it
        try:
            async with asyncio.timeout(settings.timeout) as timer:
                await self.app(scope, receive, in_time)
        except TimeoutError as error:
            raise late from error
        finally:
            self.samples -= mine
            scope.pop("answer")


class Samples(IODescriptor):
    """A batch of samples."""

    inputs: list[Any]

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> IODescriptor:
        """Read the body, or refuse it and name its wrong elements."""
        if media_type(request) != "application/json":
            raise Refused(415, "the body has to be application/json")
        spec = load().input_spec
        body = await read_body(request, min(settings.max_body, largest_json(spec, settings)))

        def read(body: bytearray) -> NDArray[Any]:
            return to_inputs(body_type().model_validate_json(body), spec)

        most = most_values(spec, settings)
        if len(body) > FAST and await readers().run(has_more_values, body, *most):
            raise Refused(413, "the body holds more values than a request can have")
        try:
            inputs = read(body) if len(body) <= FAST else await readers().run(read, body)
        except ValidationError as error:
            raise Refused(422, first_errors(error)) from error
        return cls.model_construct(inputs=request.scope["admit"](inputs))


class File(IODescriptor):
    """An uploaded file."""

    file: Path

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> IODescriptor:
        """Decode the upload."""
        content = await read_upload(request)
        try:
            inputs = await readers().run(read_file, content, load().input_spec, settings)
        except UnknownFormatError as error:
            raise Refused(415, str(error)) from error
        except UserError as error:
            raise Refused(400, str(error)) from error
        return cls.model_construct(file=request.scope["admit"](inputs))


class Tensors(IODescriptor):
    """A batch of samples, in tensors of the Open Inference Protocol."""

    inputs: list[Any]

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> IODescriptor:
        """Read the body, or refuse it."""
        asked = await open_inference().read(request, readers().run)
        request.scope["asked"] = asked
        return cls.model_construct(inputs=request.scope["admit"](asked.inputs))


class TensorAnswers(IODescriptor):
    """One prediction for each sample, in tensors of the Open Inference Protocol."""

    predictions: list[Any]

    @classmethod
    async def to_http_response(cls, obj: Answered, serde: Any) -> Response:
        """Write the predictions of one request."""
        predictions, version = take(obj)
        return request_scope.get()["asked"].answer(predictions, version)  # type: ignore[no-any-return]


class Answers(IODescriptor):
    """One prediction for each sample, in the order of the request."""

    predictions: list[Any]

    @classmethod
    async def to_http_response(cls, obj: Answered, serde: Any) -> Response:
        """Write the predictions of one request."""
        predictions, version = take(obj)
        answer = answer_type().model_construct(predictions=predictions)
        headers = {"X-Model-Version": version}
        return Response(answer.model_dump_json(), headers=headers, media_type="application/json")


def take(answered: Answered) -> tuple[list[Any], str]:
    """Return the predictions of one request and the model's version; note the call for the log."""
    call, scope = answered[0][1], request_scope.get()
    log = scope.setdefault("log", {})
    log["version"] = call.version
    log["queue_ms"] = round((call.began - scope["admitted"]) * 1000, 2)
    log["model_ms"] = round((call.ended - call.began) * 1000, 2)
    return [prediction for prediction, _ in answered], call.version


async def model(request: Request) -> Response:
    """Describe the model."""
    return JSONResponse(model_info(load()).model_dump())


async def reload(request: Request) -> Response:
    """Load the model's file again, with an administrator's key, and describe the model."""
    check_admin(request)
    try:
        await current().reload_everywhere()
    except UserError as error:
        raise Refused(409, str(error)) from error
    return JSONResponse(model_info(load()).model_dump())


async def describe(request: Request) -> Response:
    """Answer the Open Inference Protocol's requests for health and metadata."""
    return open_inference().get(request, health())


@cache
def described() -> bytes:
    """Write the document of the endpoints once in a process."""
    return to_json(document(body_type(), answer_type(), keys=bool(settings.keys_file)))


async def openapi(request: Request) -> Response:
    """Document the endpoints; BentoML's own document lacks most statuses."""
    return Response(described(), media_type="application/json")


async def docs(request: Request) -> Response:
    """Show the document on a page; BentoML's own page would load Google's Tag Manager."""
    return HTMLResponse(PAGE)


async def to_docs(request: Request) -> Response:
    """Lead from BentoML's place for its page to this project's."""
    return RedirectResponse("docs")


class Service:
    """Predicts samples."""

    def __init__(self) -> None:
        self.health = health()

    @bentoml.on_startup
    async def start(self) -> None:
        """Start the model's first batch, and answer probes in the meantime."""
        self.warm_up = asyncio.create_task(self.answer_once())

    async def answer_once(self) -> None:
        """Predict one empty sample: the first batch takes longer than the later ones."""
        try:
            await run_in_threadpool(self.best, load().input_spec.zeros(1))
        except Exception as error:  # noqa: BLE001 - a file may hold any graph
            self.health.fail(f"{load().path}: the model can't answer", error)
        else:
            self.health.has_answered = True

    def best(self, inputs: NDArray[Any]) -> Answered:
        """Predict a batch, in a thread; return each prediction with the call that made it."""
        predictor, began = load(), time.monotonic()
        with self.health.working():
            predictions = predictor.best(inputs)
        call = Call(predictor.version, began, time.monotonic())
        return [(prediction, call) for prediction in predictions]

    async def __is_ready__(self) -> bool:
        """Tell /readyz whether the model answers."""
        return not self.health.why_not_ready()

    @bentoml.api(route="/predict", input_spec=Samples, output_spec=Answers, **BATCHES)
    def predict(self, inputs: NDArray[Any]) -> Answered:
        """Predict a batch of samples."""
        return self.best(inputs)

    @bentoml.api(route="/predict/file", input_spec=File, output_spec=Answers, **BATCHES)
    def predict_file(self, file: NDArray[Any]) -> Answered:
        """Predict what an uploaded file holds."""
        return self.best(file)

    # The path may also name a version
    @bentoml.api(
        route=MODEL + "{version:path}/infer",
        input_spec=Tensors,
        output_spec=TensorAnswers,
        **BATCHES,
    )
    def infer(self, inputs: NDArray[Any]) -> Answered:
        """Predict tensors, as the Open Inference Protocol has them."""
        return self.best(inputs)


service = bentoml.service(
    name=PACKAGE,
    workers=1,
    threads=1,  # for calls of the model
    # BentoML's own limit comes second: it answers even a request that `Limits` has answered
    traffic={"timeout": settings.timeout * 2},
    logging={"access": {"enabled": False}},  # `RequestLog` says more
)(Service)
service.add_asgi_middleware(lambda app: guard(app, settings))
service.add_asgi_middleware(Limits)
pages = [
    Route("/docs", docs),
    Route("/openapi.json", openapi),
    # BentoML's own page and document would be here
    Route("/", to_docs),
    Route("/docs.json", openapi),
]
service.mount_asgi_app(
    Starlette(
        routes=[
            Route("/model", model),
            Route("/model/reload", reload, methods=["POST"]),
            Route("/v2{rest:path}", describe, methods=METHODS),
            *(pages if settings.docs else []),
        ]
    )
)


# A request that finds no place in a batch is answered by `Limits`, and is no error of the service
logging.getLogger(log_exception.__module__).addFilter(
    lambda record: not (record.exc_info and isinstance(record.exc_info[1], ServiceUnavailable))
)


def make_app() -> Starlette:
    """Make the application, with the state that the process around it asks for."""
    app: Starlette = service.to_asgi()
    app.state.health, app.state.current = health(), current()
    return app
