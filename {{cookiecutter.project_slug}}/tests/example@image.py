"""The data set that the tests train on: all that they know about it."""

import numpy as np

from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec

# Hydra options that choose it, in any folder
OPTIONS = ["data=digits"]
# An option that changes the split
OTHER_SPLIT = "data.split_seed=1"
FOLDER = "data/processed/digits"
COUNT = 1797
SPEC = InputSpec([1, 8, 8])
CLASSES = list("0123456789")
# A file of each class, all of which a trained model should recognise
SAMPLES = {name: f"{FOLDER}/samples/{name}.png" for name in CLASSES}
LABEL, SAMPLE = "0", SAMPLES["0"]
# The accuracy on the test split that the default configuration reaches at least
ACCURACY = 0.97
# Small networks: class and options
NETWORK = {"_target_": "cnn.CNN", "channels": [8, 16], "dropout": 0.0}
OTHER_NETWORK = {"_target_": "mlp.MLP", "hidden": [64], "dropout": 0.0}
# Networks of configs/model/ that need a package which may be missing, and the package
NEEDS: dict[str, str] = {}
# The data set and the network that docs/changing.md adds
ADDED = ("photos", "resnet")
# Options of `predict` before the name of a file
FILE: list[str] = []
# A setting of the default network that changes the shapes of its weights
OTHER_SHAPE = {"channels": [8, 16]}
# An augmentation that changes every sample
AUGMENTATION = {"flip": 1}


def random_inputs(count: int, spec: InputSpec = SPEC) -> np.ndarray:
    """Draw inputs that tell nothing about a class."""
    generator = np.random.default_rng(0)
    return generator.integers(256, size=(count, *spec.shape), dtype=np.uint8)


def request(inputs: np.ndarray) -> dict:
    """Write inputs as the body of a request."""
    return {"images": inputs.tolist()}


def tensors(inputs: np.ndarray) -> list[dict]:
    """Write inputs as tensors of the Open Inference Protocol."""
    data = inputs.flatten().tolist()
    return [{"name": "images", "datatype": "UINT8", "shape": [*inputs.shape], "data": data}]
