"""What the usual tutorial serves: pydantic, a sync route, one call of the model a request.

Run as `python naive.py TASK MODEL PORT`. The model of images and texts is the exported one; that of
tables is scikit-learn's, in a file of joblib's. `/constant` is the ceiling: what FastAPI itself
allows.
"""

import sys
from collections.abc import Callable

import joblib
import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

Answer = dict[str, list[dict[str, float | str]]]

app = FastAPI()


class Images(BaseModel):
    """A batch of images."""

    images: list[list[list[list[float]]]]


class Texts(BaseModel):
    """A batch of texts."""

    texts: list[str]


class Rows(BaseModel):
    """Some rows of a table."""

    rows: list[dict[str, float]]


def network(path: str) -> Callable[[np.ndarray], np.ndarray]:
    """Load the exported model; return what computes probabilities."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # by default its threads would leave the one core of a server
    session = onnxruntime.InferenceSession(path, options)

    def probabilities(inputs: np.ndarray) -> np.ndarray:
        logits = session.run(None, {"inputs": inputs})[0]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    return probabilities


def answer(probabilities: np.ndarray) -> Answer:
    """Name the most probable class of each sample."""
    return {
        "predictions": [
            {"label": str(row.argmax()), "probability": float(row.max())} for row in probabilities
        ]
    }


def serve_images(path: str) -> None:
    """Take nested lists of numbers."""
    model = network(path)

    @app.post("/predict")
    def predict(request: Images) -> Answer:
        return answer(model(np.array(request.images).astype(np.uint8)))


def serve_texts(path: str) -> None:
    """Take texts, of which the model reads the code points."""
    model = network(path)

    @app.post("/predict")
    def predict(request: Texts) -> Answer:
        inputs = np.zeros((len(request.texts), max(map(len, request.texts))), np.int32)
        for row, text in zip(inputs, request.texts, strict=True):
            row[: len(text)] = [ord(letter) for letter in text]
        return answer(model(inputs))


def serve_rows(path: str) -> None:
    """Take rows as objects, and let scikit-learn predict."""
    names, model = joblib.load(path)

    @app.post("/predict")
    def predict(request: Rows) -> Answer:
        inputs = np.array([[row[name] for name in names] for row in request.rows])
        return answer(model.predict_proba(inputs))


@app.post("/constant")
async def constant() -> Answer:
    """Answer without looking."""
    return {"predictions": [{"label": "7", "probability": 0.9}]}


task, path, port = sys.argv[1:]
{"image": serve_images, "text": serve_texts, "tabular": serve_rows}[task](path)
uvicorn.run(app, port=int(port))
