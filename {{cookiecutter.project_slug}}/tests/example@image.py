"""The data set that the tests train on: all that they know about it."""

# Hydra options that choose it, in any folder
OPTIONS = ["data=digits"]
# An option that changes the split
OTHER_SPLIT = "data.split_seed=1"
FOLDER = "data/processed/digits"
IMAGES = 1797
IMAGE_SHAPE = [1, 8, 8]
CLASSES = list("0123456789")
# A picture of each class, all of which a trained model should recognise
SAMPLES = {name: f"{FOLDER}/samples/{name}.png" for name in CLASSES}
LABEL, SAMPLE = "0", SAMPLES["0"]
# The accuracy on the test split that the default configuration reaches at least
ACCURACY = 0.97
