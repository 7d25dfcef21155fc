"""The data set that the tests train on: all that they know about it."""

# Hydra options that choose it, in any folder
OPTIONS = ["data=digits"]
FOLDER = "data/processed/digits"
IMAGES = 1797
IMAGE_SHAPE = [1, 8, 8]
CLASSES = list("0123456789")
# One picture of each class, which every trained model should recognise
SAMPLES = {name: f"{FOLDER}/samples/{name}.png" for name in CLASSES}
# What the default network reaches on the test split at least
ACCURACY = 0.97
