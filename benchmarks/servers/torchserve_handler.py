"""The same model in TorchServe, with its defaults: the handler of the archive."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime


class Handler:
    """Classifies images."""

    initialized = False

    def initialize(self, context: Any) -> None:
        """Load the model of the archive."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        folder = Path(context.system_properties["model_dir"])
        self.session = onnxruntime.InferenceSession(folder / "model.onnx", options)
        self.initialized = True

    def handle(self, requests: list[dict[str, Any]], context: Any) -> list[Any]:
        """Answer the requests of one batch."""
        return [self.answer(request["body"]["images"]) for request in requests]

    def answer(self, images: list[Any]) -> dict[str, list[dict[str, float | str]]]:
        """Classify the images of one request."""
        logits = self.session.run(None, {"inputs": np.array(images, np.uint8)})[0]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        rows = odds / odds.sum(axis=1, keepdims=True)
        return {
            "predictions": [
                {"label": str(row.argmax()), "probability": float(row.max())} for row in rows
            ]
        }
