"""What the usual tutorial serves: pydantic floats, a sync route, one call of the model a request.

Run as `python naive.py MODEL PORT`; `/constant` is the ceiling: what FastAPI itself allows.
"""

import sys

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

model, port = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1  # by default its threads would leave the one core of a server
session = onnxruntime.InferenceSession(model, options)
app = FastAPI()


class Request(BaseModel):
    """A batch of images."""

    images: list[list[list[list[float]]]]


@app.post("/predict")
def predict(request: Request) -> dict[str, list[dict[str, float | str]]]:
    """Classify the images."""
    images = np.array(request.images).astype(np.uint8)
    logits = session.run(None, {"inputs": images})[0]
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    rows = odds / odds.sum(axis=1, keepdims=True)
    return {
        "predictions": [
            {"label": str(row.argmax()), "probability": float(row.max())} for row in rows
        ]
    }


@app.post("/constant")
async def constant() -> dict[str, list[dict[str, float | str]]]:
    """Answer without looking."""
    return {"predictions": [{"label": "7", "probability": 0.9}]}


uvicorn.run(app, port=int(port))
