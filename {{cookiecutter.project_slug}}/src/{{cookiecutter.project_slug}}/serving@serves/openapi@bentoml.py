"""The OpenAPI document of the service, and the page that shows it."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from .open_inference import INFER, MODEL, InferRequest
from .payloads import PACKAGE, VERSION, Failure, Invalid, ModelInfo, Problem
from .requests import FILE

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>The service's endpoints</title>
<link rel="stylesheet" href="static_content/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="static_content/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger-ui"})</script>
</html>
"""


def document(
    request_type: type[BaseModel], response_type: type[BaseModel], *, keys: bool
) -> dict[str, Any]:
    """Describe every endpoint.

    Args:
        request_type: The body of /predict.
        response_type: Its answer.
        keys: Whether the service asks for keys.
    """
    models = (request_type, response_type, InferRequest, ModelInfo, Problem, Invalid, Failure)
    _, schemas = models_json_schema(
        [(model, "serialization") for model in models],
        ref_template="#/components/schemas/{model}",
    )

    def body(*names: str) -> dict[str, Any]:
        choices = [{"$ref": f"#/components/schemas/{name}"} for name in names]
        return {"application/json": {"schema": {"anyOf": choices}}}

    def answer(description: str, *names: str) -> dict[str, Any]:
        return {"description": description, "content": body(*names)}

    def access(name: str) -> dict[str, Any]:
        found = {"401": "There is no valid key", "429": "The key was used too often"}
        return {status: answer(text, name) for status, text in found.items() if keys}

    text = {"text/plain": {"schema": {"type": "string"}}}
    refusals = {
        **access("Problem"),
        "413": answer("The body is too large", "Problem"),
        "415": answer("The body has another type than documented", "Problem"),
        "422": answer("Elements of the body are wrong", "Invalid"),
        "500": answer("The model failed", "Problem"),
        "503": answer("Too many samples wait", "Problem"),
        "504": answer("The answer took too long", "Problem"),
    }
    failures = {
        **access("Failure"),
        "400": answer("Tensors of the body are wrong", "Failure"),
        "413": answer("The body is too large", "Failure"),
        "415": answer("The body is compressed", "Failure"),
        "500": answer("The model failed", "Failure"),
        "503": answer("Too many samples wait", "Failure"),
        "504": answer("The answer took too long", "Failure"),
    }
    file = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
    }
    schemes = {"key": {"type": "http", "scheme": "bearer"}} if keys else {}
    return {
        "openapi": "3.1.0",
        "info": {"title": PACKAGE, "version": VERSION},
        "paths": {
            "/predict": {
                "post": {
                    "summary": "Predict a batch of samples.",
                    "requestBody": {"required": True, "content": body(request_type.__name__)},
                    "responses": {
                        "200": answer("One prediction for each sample", "PredictResponse"),
                        **refusals,
                    },
                }
            },
            "/predict/file": {
                "post": {
                    "summary": "Predict what an uploaded file holds.",
                    "description": f"The file: {FILE}.",
                    "requestBody": {
                        "required": True,
                        "content": {"multipart/form-data": {"schema": file}},
                    },
                    "responses": {
                        "200": answer("One prediction for each sample", "PredictResponse"),
                        "400": answer("The file can't be read", "Problem"),
                        **refusals,
                    },
                }
            },
            f"{MODEL}/infer": {
                "post": {
                    "summary": "Predict tensors, as the Open Inference Protocol has them.",
                    "description": INFER,
                    "requestBody": {"required": True, "content": body("InferRequest")},
                    "responses": {
                        "200": {
                            "description": "One value for each sample in each output",
                            "content": {"application/json": {}, "application/octet-stream": {}},
                        },
                        **failures,
                    },
                }
            },
            MODEL: {
                "get": {
                    "summary": "Describe the tensors of the Open Inference Protocol.",
                    "responses": {
                        "200": {"description": "The model", "content": {"application/json": {}}}
                    },
                }
            },
            "/model": {
                "get": {
                    "summary": "Describe the model.",
                    "responses": {
                        "200": answer("The model", "ModelInfo"),
                        **access("Problem"),
                    },
                }
            },
            "/model/reload": {
                "post": {
                    "summary": "Load the model's file again.",
                    "responses": {
                        "200": answer("The model", "ModelInfo"),
                        **access("Problem"),
                        "403": answer("The key is not an administrator's", "Problem"),
                        "409": answer("The file can't be used; the model stays", "Problem"),
                    },
                }
            },
            "/livez": {
                "get": {
                    "summary": "Say that the process is alive.",
                    "security": [],
                    "responses": {"200": {"description": "It is", "content": text}},
                }
            },
            "/readyz": {
                "get": {
                    "summary": "Say whether the model has answered its first batch.",
                    "security": [],
                    "responses": {
                        "200": {"description": "It has", "content": text},
                        "503": {"description": "Not yet", "content": text},
                    },
                }
            },
        },
        "components": {"schemas": schemas["$defs"], "securitySchemes": schemes},
        "security": [{name: []} for name in schemes],
    }
