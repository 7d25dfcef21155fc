"""The data set that the tests train on: all that they know about it."""

import numpy as np
from sklearn.datasets import load_breast_cancer

from {{ cookiecutter.project_slug }}.datasets.columns import number_column
from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec
from {{ cookiecutter.project_slug }}.datasets.splits import stratified_split

# Hydra options that choose it, in any folder
OPTIONS = ["data=breast_cancer"]
# An option that changes the split
OTHER_SPLIT = "data.split_seed=1"
FOLDER = "data/processed/breast_cancer"
COUNT = 569
TABLE = load_breast_cancer()
TRAIN = TABLE.data[stratified_split(TABLE.target, 0.1, 0.2, seed=0)["train"]]
SPEC = InputSpec(
    [
        number_column(str(name), values)
        for name, values in zip(TABLE.feature_names, TRAIN.T, strict=True)
    ]
)
CLASSES = ["malignant", "benign"]
# A file with a row of each class, all of which a trained model should recognise
SAMPLES = {name: f"{FOLDER}/samples/{name}.csv" for name in CLASSES}
LABEL, SAMPLE = "benign", SAMPLES["benign"]
# The accuracy on the test split that the default configuration reaches at least
ACCURACY = 0.95
# Small networks: class and options
NETWORK = {"_target_": "mlp.MLP", "hidden": [64, 32], "dropout": 0.0}
OTHER_NETWORK = {"_target_": "mlp.MLP", "hidden": [128], "dropout": 0.0}
# Networks of configs/model/ that need a package which may be missing, and the package
NEEDS: dict[str, str] = {}
# The data set and the network that docs/changing.md adds
ADDED = ("customers", "resnet")
# Options of `predict` before the name of a file
FILE: list[str] = []
# A setting of the default network that changes the shapes of its weights
OTHER_SHAPE = {"hidden": [8, 16]}
# An augmentation that changes every sample
AUGMENTATION = {"noise": 1}


def random_inputs(count: int, spec: InputSpec = SPEC) -> np.ndarray:
    """Draw inputs that tell nothing about a class, with missing values where these occur."""
    draw = np.random.default_rng(0)
    inputs = np.empty((count, len(spec.columns)), np.float32)
    for place, column in enumerate(spec.columns):
        hidden = draw.random(count) < (0.2 if column["missing"] else 0)
        if column["kind"] == "category":
            values = draw.integers(1, len(column["categories"]) + 1, count)
            inputs[:, place] = np.where(hidden, 0, values)
        elif column["kind"] == "boolean":
            inputs[:, place] = np.where(hidden, np.nan, draw.integers(2, size=count))
        else:
            values = draw.uniform(column["low"], column["high"], count)
            inputs[:, place] = np.where(hidden, np.nan, values)
    return inputs


def request(inputs: np.ndarray) -> dict:
    """Write inputs as the body of a request."""
    return {"rows": [SPEC.decode(row) for row in inputs]}


def tensors(inputs: np.ndarray) -> list[dict]:
    """Write inputs as tensors of the Open Inference Protocol."""
    return [
        {"name": name, "datatype": "FP32", "shape": [len(inputs)], "data": values.tolist()}
        for name, values in zip(SPEC.names, inputs.T, strict=True)
    ]
