"""The HTTP service: FastAPI around one `Predictor`; concurrent requests share its calls."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from .. import UserError
from ..inference.predictor import Predictor
from ..inference.target import Predictions
from .batcher import Batcher, Inputs, QueueFullError
from .payloads import (
    PACKAGE,
    Invalid,
    ModelInfo,
    Problem,
    UnknownFormatError,
    first_errors,
    model_info,
    response_type,
)
from .request_log import RequestLog
from .requests import FILE, read_file, request_type, to_inputs
from .server import main, run
from .settings import Settings, read_settings


class DirectRoute(APIRoute):
    """Gives the endpoint the request itself, and sends the endpoint's response as it is.

    A request with one sample takes 240 us of CPU this way. Where FastAPI reads the body, resolves
    parameters and encodes the answer, it takes 335 us.
    """

    def __init__(self, path: str, endpoint: Callable[[Request], Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self.app = self.answer

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the endpoint and send what it returns."""
        response = await self.endpoint(Request(scope, receive))
        await response(scope, receive, send)


class Service:
    """The endpoints around one model.

    Args:
        predictor: The model.
        settings: Limits of a request, a batch and the queue.
    """

    def __init__(self, predictor: Predictor, settings: Settings) -> None:
        self.predictor, self.settings = predictor, settings
        self.batcher = Batcher(
            predictor.best, settings.max_batch, settings.max_queue, settings.timeout
        )
        self.spec = predictor.input_spec
        self.request_type = request_type(self.spec, settings)
        self.response_type: Any = response_type(predictor.target)
        self.ready = False

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        """Start the model's first batch, and answer probes in the meantime."""
        warm_up = asyncio.create_task(self.warm_up())
        yield
        self.ready = False
        await warm_up

    async def warm_up(self) -> None:
        """Predict one empty sample: the first batch takes longer than the later ones."""
        await run_in_threadpool(self.predictor.best, self.spec.zeros(1))
        self.ready = True

    async def livez(self) -> dict[str, bool]:
        """Say that the process is alive."""
        return {"live": True}

    async def readyz(self) -> dict[str, bool]:
        """Say whether the model has answered its first batch."""
        if not self.ready:
            raise HTTPException(503, "the model has not answered yet", {"Retry-After": "1"})
        return {"ready": True}

    async def model(self) -> ModelInfo:
        """Describe the model."""
        return model_info(self.predictor)

    async def predict(self, request: Request) -> Response:
        """Predict a batch of samples."""
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise HTTPException(415, "the body has to be application/json")
        try:
            asked: Any = self.request_type.model_validate_json(await request.body())
        except ValidationError as error:
            raise RequestValidationError(first_errors(error)) from error
        predictions = await self.answer(to_inputs(asked, self.spec))
        answer = self.response_type.model_construct(predictions=predictions)
        return Response(answer.model_dump_json(), media_type="application/json")

    async def predict_file(self, file: UploadFile) -> Any:
        """Predict what an uploaded file holds."""
        content = await file.read()
        try:
            inputs = await run_in_threadpool(read_file, content, self.spec, self.settings)
        except UnknownFormatError as error:
            raise HTTPException(415, str(error)) from error
        except UserError as error:
            raise HTTPException(400, str(error)) from error
        return self.response_type(predictions=await self.answer(inputs))

    async def answer(self, inputs: Inputs) -> Predictions:
        """Predict samples in the next call of the model, together with other waiting requests."""
        try:
            return await self.batcher.submit(inputs)
        except QueueFullError as error:
            raise HTTPException(503, "too many samples wait", {"Retry-After": "1"}) from error
        except TimeoutError as error:
            raise HTTPException(504, f"no answer within {self.settings.timeout:g} s") from error


def create_app(predictor: Predictor, settings: Settings) -> FastAPI:
    """Make the application around a loaded model."""
    service = Service(predictor, settings)
    app = FastAPI(
        title=PACKAGE,
        version=predictor.version,
        lifespan=service.lifespan,
    )
    app.add_middleware(RequestLog, max_body=settings.max_body)
    app.add_api_route("/livez", service.livez)
    app.add_api_route("/readyz", service.readyz, responses=problems(503))
    app.add_api_route("/model", service.model)
    app.add_api_route(
        "/predict/file",
        service.predict_file,
        methods=["POST"],
        response_model=service.response_type,
        description=f"The file: {FILE}.",
        responses=problems(400, 413, 415, 503, 504),
    )
    schema = service.request_type.model_json_schema()
    predict = DirectRoute(
        "/predict",
        service.predict,
        methods=["POST"],
        response_model=service.response_type,
        responses={**problems(413, 415, 503, 504), 422: {"model": Invalid}},
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}
        },
    )
    app.router.routes.insert(0, predict)  # routes are tried in order
    return app


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document the answers that give a reason instead of a prediction."""
    return {status: {"model": Problem} for status in statuses}


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
