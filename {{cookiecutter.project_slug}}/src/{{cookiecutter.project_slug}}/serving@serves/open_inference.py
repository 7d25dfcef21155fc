"""The Open Inference Protocol, in which clients of KServe, Triton and Seldon ask.

It is https://github.com/kserve/open-inference-protocol with Triton's binary tensors: their bytes
follow the JSON part of a body, whose length a header tells. What a task has of its own is in
`requests.py`; a request is refused for all that /predict would refuse.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .. import UserError
from ..inference.target import Predictions
from .current import Current
from .health import Health
from .payloads import PACKAGE, VERSION, has_more_values
from .request_log import FAST, Refused, read_body
from .requests import input_tensors, largest_json, most_values, read_tensors, request_type
from .settings import Settings
from .tensors import GivenTensor, Parameters, read_values, write_binary

MODEL = f"/v2/models/{PACKAGE}"
INFER = """The bytes of tensors in binary come after the JSON part, whose length is in the header
`Inference-Header-Content-Length`. `/versions/{version}` may stand before `/infer`."""
# The others are answered by the framework
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PATH = re.compile(
    r"/v2(/health/(?P<health>live|ready)"
    r"|/models/(?P<name>[^/]+)(/versions/(?P<version>[^/]+))?(/(?P<action>ready|infer))?)?"
)
JSON_LENGTH = "Inference-Header-Content-Length"
OUTPUTS: Mapping[Any, str] = {str: "BYTES", float: "FP32"}


class AskedTensor(BaseModel):
    """A tensor that the answer is to have; in binary, if its parameter `binary_data` is true."""

    name: str
    parameters: Parameters = {}


class InferRequest(BaseModel):
    """The JSON part of a request; the answer has all outputs if none are named."""

    id: str | None = Field(default=None, max_length=1000)
    parameters: Parameters = {}
    inputs: list[GivenTensor]
    outputs: list[AskedTensor] = []

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Describe tensors in their place: a reference would lead nowhere in a larger document."""
        schema = super().model_json_schema(*arguments, **options)
        tensors = schema.pop("$defs")
        schema["properties"]["inputs"]["items"] = tensors["GivenTensor"]
        schema["properties"]["outputs"]["items"] = tensors["AskedTensor"]
        return schema


@dataclass(frozen=True)
class Asked:
    """What a request asks for.

    Attributes:
        inputs: Its samples, of shape (samples, *shape of an input).
        outputs: The name and the datatype of each output, and whether it is wanted in binary.
        id: The id of the request, if it has one.
    """

    inputs: NDArray[Any]
    outputs: Sequence[tuple[str, str, bool]]
    id: str | None

    def answer(self, predictions: Predictions, version: str) -> Response:
        """Write the answer of a model of this version."""
        outputs: list[dict[str, Any]] = []
        parts = [b""]
        for name, datatype, in_binary in self.outputs:
            values = [getattr(one, name) for one in predictions]
            outputs.append({"name": name, "datatype": datatype, "shape": [len(values)]})
            if in_binary:
                parts.append(write_binary(values))
                outputs[-1]["parameters"] = {"binary_data_size": len(parts[-1])}
            else:
                outputs[-1]["data"] = values
        answer = {"model_name": PACKAGE, "model_version": version, "outputs": outputs}
        parts[0] = to_json(answer if self.id is None else answer | {"id": self.id})
        headers = {"X-Model-Version": version}
        if len(parts) == 1:
            return Response(parts[0], headers=headers, media_type="application/json")
        headers[JSON_LENGTH] = str(len(parts[0]))
        return Response(b"".join(parts), headers=headers, media_type="application/octet-stream")


class OpenInference:
    """The protocol for the model that answers.

    Args:
        current: The model.
        settings: Limits of a request.
    """

    def __init__(self, current: Current, settings: Settings) -> None:
        self.current, self.most_samples = current, settings.max_batch
        predictor = current.predictor
        self.spec = predictor.input_spec
        self.request_type = request_type(self.spec, settings)
        self.inputs = {tensor.name: tensor for tensor in input_tensors(self.spec, settings)}
        self.outputs = {one.name: OUTPUTS[one.type] for one in fields(predictor.target.prediction)}
        # Beside its values, which may be as many as those of /predict, a tensor has a description
        count = len(self.inputs) + len(self.outputs)
        self.most_values = [most + 20 * count for most in most_values(self.spec, settings)]
        binary = settings.max_batch * sum(tensor.largest for tensor in self.inputs.values())
        json = largest_json(self.spec, settings) + 1000 * count
        self.most_bytes = min(settings.max_body, json + binary)
        # Bytes are an input as they are; of all other tensors Python values are made
        self.takes_bytes = all(one.datatypes == ["UINT8"] for one in self.inputs.values())

    def find(self, request: Request) -> str:
        """Name what a request is for: `server`, `live`, `ready`, `model` or `infer`.

        Raises:
            Refused: There is no such endpoint, model or version, or its method is another one.
        """
        found = PATH.fullmatch(request.scope["path"])
        if not found:
            raise Refused(404, "there is no such endpoint")
        version = self.current.predictor.version
        for what, there in (("name", PACKAGE), ("version", version)):
            if (asked := found[what]) not in {None, there}:
                raise Refused(404, f"there is no model of {what} {asked!r:.80}, only of {there!r}")
        what = found["health"] or found["action"] or ("model" if found["name"] else "server")
        allowed = ["POST"] if what == "infer" else ["GET", "HEAD"]
        if request.method not in allowed:
            raise Refused(405, f"{request.method} is not allowed", {"Allow": ", ".join(allowed)})
        return what

    def get(self, request: Request, health: Health) -> Response:
        """Answer a request for health or metadata.

        Raises:
            Refused: There is no such endpoint, or the model is not ready.
        """
        what = self.find(request)
        if what == "ready" and (reason := health.why_not_ready()):
            raise Refused(503, reason, {"Retry-After": "1"})
        if what == "model":
            return JSONResponse(self.metadata())
        server = {"name": PACKAGE, "version": VERSION}
        return JSONResponse(
            {
                "server": server | {"extensions": ["binary_tensor_data"]},
                "live": {"live": True},
                "ready": {"name": PACKAGE, "ready": True},
            }[what]
        )

    def metadata(self) -> dict[str, Any]:
        """Describe the model's tensors; a length of -1 stands for the number of samples."""
        inputs = [(one.name, one.datatypes[0], one.shape) for one in self.inputs.values()]
        outputs: list[Any] = [(name, datatype, []) for name, datatype in self.outputs.items()]
        described = {
            kind: [{"name": n, "datatype": d, "shape": [-1, *s]} for n, d, s in found]
            for kind, found in (("inputs", inputs), ("outputs", outputs))
        }
        predictor = self.current.predictor
        about = {"versions": [predictor.version], "platform": predictor.model.platform}
        return {"name": PACKAGE, **about, **described}

    async def read(self, request: Request, in_thread: Callable[..., Awaitable[Asked]]) -> Asked:
        """Read a request for predictions.

        Args:
            request: The request.
            in_thread: Calls a function in a thread, where its work takes long.

        Raises:
            Refused: There is no such model, or the request can't be answered.
        """
        self.find(request)
        if coding := request.headers.get("content-encoding", ""):
            raise Refused(415, f"the body is compressed as {coding!r:.20}: send it as it is")
        body = await read_body(request, self.most_bytes)
        told = request.headers.get(JSON_LENGTH, str(len(body)))
        if not re.fullmatch(r"[0-9]{1,12}", told) or (length := int(told)) > len(body):
            raise Refused(400, f"{JSON_LENGTH} is {told!r:.20}, of a body of {len(body)} bytes")
        try:
            if (length if self.takes_bytes else len(body)) <= FAST:
                return self.parse(body, length)
            return await in_thread(self.parse, body, length)
        except UserError as error:
            raise Refused(400, str(error)) from error

    def parse(self, body: bytearray, length: int) -> Asked:
        """Read a body.

        Args:
            body: The JSON part, and the bytes of binary tensors.
            length: The bytes of the JSON part.

        Raises:
            UserError: It can't be answered.
        """
        text = body[:length]
        if length > FAST and has_more_values(text, *self.most_values):
            raise UserError("the body holds more values than a request can have")
        try:
            asked = InferRequest.model_validate_json(text)
            found = self.find_inputs(asked.inputs, memoryview(body)[length:])
            inputs = read_tensors(found, self.request_type, self.spec)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = "".join(f"[{part!r:.80}]" for part in first["loc"])
            raise UserError(f"the request{place}: {first['msg']:.500}") from error
        return Asked(inputs, self.find_outputs(asked), asked.id)

    def find_inputs(self, given: Sequence[GivenTensor], rest: memoryview) -> dict[str, Any]:
        """Return the values of each input: an array (samples, *shape of one), or a flat list.

        Raises:
            UserError: Inputs are missing, unknown, or have wrong values.
        """
        found: dict[str, Any] = {}
        for tensor in given:
            known = self.inputs.get(tensor.name)
            if known is None or tensor.name in found:
                problem = "there twice" if known else "unknown to the model"
                raise UserError(f"input {tensor.name!r:.80} is {problem}")
            content = None
            if (size := tensor.parameters.get("binary_data_size")) is not None:
                if not isinstance(size, int) or not 0 <= size <= len(rest):
                    raise UserError(f"input {tensor.name!r:.80}: the body lacks its bytes")
                content, rest = rest[:size], rest[size:]
            try:
                found[tensor.name] = read_values(tensor, known, content, self.most_samples)
            except UserError as error:
                raise UserError(f"input {tensor.name!r:.80} {error}") from error
        if missing := [name for name in self.inputs if name not in found]:
            raise UserError(f"input {missing[0]!r:.80} is missing")
        if len({tensor.shape[0] for tensor in given}) > 1:
            raise UserError("the inputs have different numbers of samples")
        if rest:
            raise UserError(f"the body has {len(rest)} bytes that belong to no input")
        return found

    def find_outputs(self, asked: InferRequest) -> list[tuple[str, str, bool]]:
        """Return the name and the datatype of each output, and whether it is wanted in binary.

        Raises:
            UserError: There is no such output.
        """
        default = asked.parameters.get("binary_data_output", False)
        wanted = {one.name: one.parameters.get("binary_data", default) for one in asked.outputs}
        if unknown := [name for name in wanted if name not in self.outputs]:
            raise UserError(f"output {unknown[0]!r:.80} is unknown; there are {[*self.outputs]}")
        wanted = wanted or dict.fromkeys(self.outputs, default)
        return [(name, self.outputs[name], binary is True) for name, binary in wanted.items()]
