"""The data set that the tests train on: all that they know about it."""

from collections import Counter

import numpy as np

from {{ cookiecutter.project_slug }}.datasets.emoji import read_names
from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec

CLASSES = ["de", "en", "es", "fr"]
# Hydra options that choose it, in any folder: some languages are enough, and faster than all
OPTIONS = ["data=emoji", f"data.languages=[{','.join(CLASSES)}]"]
# An option that changes the split
OTHER_SPLIT = "data.split_seed=1"
FOLDER = "data/processed/emoji"
# Names that one emoji has in one language: their number grows with the package `emoji`
TIMES = Counter(name for names in read_names(CLASSES)[1] for name in names)
COUNT = sum(times == 1 for times in TIMES.values())
SPEC = InputSpec(80)
# A file of each class, all of which a trained model should recognise
SAMPLES = {name: f"{FOLDER}/samples/{name}.txt" for name in CLASSES}
LABEL, SAMPLE = "de", SAMPLES["de"]
# The accuracy on the test split that the default configuration reaches at least
ACCURACY = 0.92
# Small networks: class and options
NETWORK = {"_target_": "ngrams.NGrams", "buckets": 500, "dimension": 16, "dropout": 0.0}
OTHER_NETWORK = {"_target_": "conv.Conv", "widths": [2, 3], "channels": 16, "dropout": 0.0}
# Networks of configs/model/ that need a package which may be missing, and the package
NEEDS = {"transformer": "transformers"}
# The data set and the network that docs/changing.md adds
ADDED = ("mails", "resnet")
# Options of `predict` before the name of a file
FILE = ["--file"]
# A setting of the default network that changes the shapes of its weights
OTHER_SHAPE = {"dimension": 16}
# An augmentation that changes every sample
AUGMENTATION = {"swap": 1}


def random_inputs(count: int, spec: InputSpec = SPEC) -> np.ndarray:
    """Draw inputs that tell nothing about a class: letters, from one to as many as there may be."""
    generator = np.random.default_rng(0)
    letters = generator.integers(ord("a"), ord("z") + 1, size=(count, *spec.shape), dtype=np.int32)
    lengths = generator.integers(1, spec.length + 1, size=(count, 1))
    return np.where(np.arange(spec.length) < lengths, letters, 0)


def request(inputs: np.ndarray) -> dict:
    """Write inputs as the body of a request."""
    return {"texts": [SPEC.decode(sample) for sample in inputs]}


def tensors(inputs: np.ndarray) -> list[dict]:
    """Write inputs as tensors of the Open Inference Protocol."""
    data = request(inputs)["texts"]
    return [{"name": "texts", "datatype": "BYTES", "shape": [len(data)], "data": data}]
