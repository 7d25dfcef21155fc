"""The same model in LitServe, with its defaults: `python lit.py MODEL PORT`."""

import sys
from typing import Any

import litserve
import numpy as np
import onnxruntime


class Api(litserve.LitAPI):
    """Classifies images."""

    def setup(self, device: str) -> None:
        """Load the model."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(sys.argv[1], options)

    def decode_request(self, request: dict[str, Any]) -> np.ndarray:
        """Read the images."""
        return np.array(request["images"], np.uint8)

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Compute probabilities."""
        logits = self.session.run(None, {"inputs": images})[0]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    def encode_response(self, rows: np.ndarray) -> dict[str, list[dict[str, float | str]]]:
        """Name the classes."""
        return {
            "predictions": [
                {"label": str(row.argmax()), "probability": float(row.max())} for row in rows
            ]
        }


if __name__ == "__main__":
    server = litserve.LitServer(Api(), accelerator="cpu")
    server.run(port=int(sys.argv[2]), generate_client_file=False)
