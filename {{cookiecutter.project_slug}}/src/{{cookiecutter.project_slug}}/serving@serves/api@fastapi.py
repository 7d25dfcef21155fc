"""The HTTP service: FastAPI around one `Predictor`; concurrent requests share its calls."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.security import HTTPBearer
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from .. import UserError
from ..inference.predictor import Predictor
from ..inference.target import Predictions
from .access import check_admin, guard
from .batcher import Batcher, Inputs, QueueFullError
from .current import Current
from .health import Health
from .open_inference import INFER, METHODS, MODEL, InferRequest, OpenInference
from .payloads import (
    PACKAGE,
    VERSION,
    Failure,
    Invalid,
    ModelInfo,
    Problem,
    UnknownFormatError,
    first_errors,
    has_more_values,
    model_info,
    response_type,
)
from .request_log import FAST, Refused, media_type, read_body, read_upload, reason_key
from .requests import (
    FILE,
    largest_json,
    most_values,
    read_file,
    request_type,
    to_inputs,
)
from .server import main, run
from .settings import Settings, read_settings
from .worker import Readers, Result

Endpoint = Callable[[Request], Awaitable[Response]]

RETRY = 1  # seconds
FULL = {
    key: JSONResponse({key: "too many samples wait"}, 503, {"Retry-After": str(RETRY)})
    for key in ("detail", "error")
}


class Service:
    """The endpoints around one model.

    Args:
        predictor: The model.
        settings: Limits of a request, a batch and the queue.
    """

    def __init__(self, predictor: Predictor, settings: Settings) -> None:
        self.current, self.settings = Current(predictor, settings), settings
        self.health = Health(settings)
        self.batcher = Batcher(self.best, settings.max_batch, settings.max_queue, settings.timeout)
        self.readers = Readers()
        self.unread = 0  # requests that the readers have, or that wait for them
        self.spec = predictor.input_spec
        self.most_json = min(settings.max_body, largest_json(self.spec, settings))
        self.most_values = most_values(self.spec, settings)
        self.request_type = request_type(self.spec, settings)
        self.response_type: Any = response_type(predictor.target)
        self.open_inference = OpenInference(self.current, settings)

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        """Start the model's first batch, and answer probes in the meantime."""
        warm_up = asyncio.create_task(self.warm_up())
        yield
        warm_up.cancel()

    async def warm_up(self) -> None:
        """Predict one empty sample: the first batch takes longer than the later ones."""
        try:
            await self.batcher.worker.run(self.best, self.spec.zeros(1))
        except Exception as error:  # noqa: BLE001 - a file may hold any graph
            self.health.fail(f"{self.current.predictor.path}: the model can't answer", error)
        else:
            self.health.has_answered = True

    def best(self, inputs: Inputs) -> tuple[Predictions, str]:
        """Predict a batch, in the model's thread; return the model's version too."""
        predictor = self.current.predictor
        with self.health.working():
            return predictor.best(inputs), predictor.version

    async def livez(self) -> dict[str, bool]:
        """Say that the process is alive."""
        return {"live": True}

    async def readyz(self) -> dict[str, bool]:
        """Say whether the model answers."""
        if reason := self.health.why_not_ready():
            raise HTTPException(503, reason, {"Retry-After": "1"})
        return {"ready": True}

    async def model(self) -> ModelInfo:
        """Describe the model."""
        return model_info(self.current.predictor)

    async def reload(self, request: Request) -> ModelInfo:
        """Load the model's file again, with an administrator's key, and describe the model."""
        check_admin(request)
        try:
            await self.current.reload_everywhere()
        except UserError as error:
            raise Refused(409, str(error)) from error
        return model_info(self.current.predictor)

    async def predict(self, request: Request) -> Response:
        """Predict a batch of samples."""
        if media_type(request) != "application/json":
            raise Refused(415, "the body has to be application/json")
        if not self.batcher.fits(1):
            return await refusal(request)
        body = await read_body(request, self.most_json)
        try:
            if len(body) <= FAST:
                inputs = self.to_inputs(body)
            elif await self.read(has_more_values, body, *self.most_values):
                raise Refused(413, "the body holds more values than a request can have")
            else:
                inputs = await self.read(self.to_inputs, body)
        except QueueFullError:
            return await refusal(request)
        except ValidationError as error:
            raise Refused(422, first_errors(error)) from error
        return await self.answer(request, inputs)

    async def predict_file(self, request: Request) -> Response:
        """Predict what an uploaded file holds."""
        if not self.batcher.fits(1):
            return await refusal(request)
        content = await read_upload(request)
        try:
            inputs = await self.read(read_file, content, self.spec, self.settings)
        except QueueFullError:
            return await refusal(request)
        except UnknownFormatError as error:
            raise Refused(415, str(error)) from error
        except UserError as error:
            raise Refused(400, str(error)) from error
        return await self.answer(request, inputs)

    async def infer(self, request: Request) -> Response:
        """Predict tensors, as the Open Inference Protocol has them."""
        if not self.batcher.fits(1):
            return await refusal(request)
        try:
            asked = await self.open_inference.read(request, self.read)
        except QueueFullError:
            return await refusal(request)
        return await self.answer(request, asked.inputs, asked.answer)

    async def describe(self, request: Request) -> Response:
        """Describe the tensors of the Open Inference Protocol."""
        if self.open_inference.find(request) == "infer":
            return await self.infer(request)
        return self.open_inference.get(request, self.health)

    def to_inputs(self, body: bytearray) -> Inputs:
        """Read the samples of a JSON body.

        Raises:
            ValidationError: They can't be predicted.
        """
        return to_inputs(self.request_type.model_validate_json(body), self.spec)

    async def read(
        self, read: Callable[..., Result], content: bytes | bytearray, *arguments: Any
    ) -> Result:
        """Read what takes long in a thread, one request after another.

        Raises:
            QueueFullError: Too many requests wait.
            Refused: It takes too long.
        """
        if self.unread >= self.settings.max_queue:
            raise QueueFullError
        self.unread += 1
        try:
            async with asyncio.timeout(self.settings.timeout):
                return await self.readers.run(read, content, *arguments)
        except TimeoutError as error:
            raise self.too_late() from error
        finally:
            self.unread -= 1

    async def answer(
        self,
        request: Request,
        inputs: Inputs,
        write: Callable[[Predictions, str], Response] | None = None,
    ) -> Response:
        """Predict samples in the next call of the model, together with other waiting requests.

        Args:
            request: The request.
            inputs: Its samples.
            write: Writes the answer; else it is that of /predict.
        """
        try:
            waiting = self.batcher.submit(inputs)
        except QueueFullError:
            return await refusal(request)
        request.scope["answer"] = waiting.answer  # for the connection: it may end before
        try:
            predictions = await waiting.answer
        except TimeoutError as error:
            raise self.too_late() from error
        log = request.scope.setdefault("log", {})
        log |= {"version": waiting.version, **waiting.times()}
        if write:
            return write(predictions, waiting.version)
        answer = self.response_type.model_construct(predictions=predictions)
        version = {"X-Model-Version": waiting.version}
        return Response(answer.model_dump_json(), headers=version, media_type="application/json")

    def too_late(self) -> Refused:
        """Make the refusal of a request that found no answer in time."""
        return Refused(504, f"no answer within {self.settings.timeout:g} s")


class Direct:
    """Calls the endpoints that predict.

    FastAPI's and Starlette's layers around a route cost as much as all the rest of a small request.

    Args:
        app: The application that handles all other requests.
        endpoints: The endpoints of POST requests, by path.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, Endpoint]) -> None:
        self.app, self.endpoints = app, endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        endpoint = self.endpoints.get(scope["path"]) if scope.get("method") == "POST" else None
        app = await endpoint(Request(scope, receive)) if endpoint else self.app
        await app(scope, receive, send)


async def refusal(request: Request) -> Response:
    """Refuse a request for which there is no place in the queue.

    The answer itself waits: else, clients that ask again at once would take the time of those that
    have a place.
    """
    await asyncio.sleep(RETRY)
    return FULL[reason_key(request.scope)]


def create_app(predictor: Predictor, settings: Settings) -> FastAPI:
    """Make the application around a loaded model."""
    service = Service(predictor, settings)
    app = FastAPI(
        title=PACKAGE,
        version=VERSION,
        lifespan=service.lifespan,
        openapi_url="/openapi.json" if settings.docs else None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.health, app.state.current = service.health, service.current
    direct = {
        "/predict": service.predict,
        "/predict/file": service.predict_file,
        f"{MODEL}/infer": service.infer,
    }
    app.add_middleware(Direct, endpoints=direct)
    app.add_middleware(guard, settings=settings)
    access = (401, 429) if settings.keys_file else ()
    # `Access` looks at the key; this only documents it
    key = [Depends(HTTPBearer(auto_error=False))] if settings.keys_file else []
    for path, endpoint, statuses, asked in (
        ("/livez", service.livez, (), []),
        ("/readyz", service.readyz, (503,), []),
        ("/model", service.model, access, key),
    ):
        app.add_api_route(path, endpoint, responses=problems(*statuses), dependencies=asked)
        app.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
    app.add_api_route(
        "/model/reload",
        service.reload,
        methods=["POST"],
        dependencies=key,
        responses=problems(403, 409, *access),
    )
    # FastAPI documents these three; `Direct` calls them
    file = {"type": "object", "required": ["file"], "properties": {"file": BINARY}}
    app.add_api_route(
        "/predict",
        service.predict,
        methods=["POST"],
        dependencies=key,
        response_model=service.response_type,
        responses={**problems(413, 415, 503, 504, *access), 422: {"model": Invalid}},
        openapi_extra=body("application/json", service.request_type.model_json_schema()),
    )
    app.add_api_route(
        "/predict/file",
        service.predict_file,
        methods=["POST"],
        dependencies=key,
        response_model=service.response_type,
        description=f"The file: {FILE}.",
        responses={**problems(400, 413, 415, 503, 504, *access), 422: {"model": Invalid}},
        openapi_extra=body("multipart/form-data", file),
    )
    app.add_api_route(
        f"{MODEL}/infer",
        service.infer,
        methods=["POST"],
        dependencies=key,
        description=INFER,
        responses={
            200: {"content": {"application/octet-stream": {}}},
            **problems(400, 413, 415, 503, 504, *access, model=Failure),
        },
        openapi_extra=body("application/json", InferRequest.model_json_schema()),
    )
    if settings.docs:
        app.add_api_route("/docs", docs, include_in_schema=False)
        app.mount("/static", StaticFiles(packages=[("fastapi_swagger", "resources")]))
    app.add_api_route(MODEL, service.describe, dependencies=key)
    app.add_api_route("/v2{rest:path}", service.describe, methods=METHODS, include_in_schema=False)
    return app


async def docs() -> HTMLResponse:
    """Show the endpoints on a page, with files of the service: FastAPI's own page loads others'."""
    return get_swagger_ui_html(
        openapi_url="openapi.json",
        title=PACKAGE,
        swagger_js_url="static/swagger-ui-bundle.js",
        swagger_css_url="static/swagger-ui.css",
        swagger_favicon_url="static/favicon-32x32.png",
    )


BINARY = {"type": "string", "format": "binary"}


def body(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Document the body that a request has to have."""
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def problems(*statuses: int, model: type[BaseModel] = Problem) -> dict[int | str, dict[str, Any]]:
    """Document the answers that give a reason instead of a prediction."""
    return {status: {"model": model} for status in statuses}


def load_app() -> Starlette:
    """Load the model and make the application around it, as the settings say.

    Raises:
        UserError: A setting or the model's file can't be used.
    """
    settings = read_settings()
    return create_app(Predictor(settings.model, threads=settings.threads), settings)


def serve() -> None:
    """Serve until SIGTERM or Ctrl-C.

    Raises:
        UserError: A setting, the model's file or the port can't be used.
    """
    run(load_app)


if __name__ == "__main__":
    main(serve)
