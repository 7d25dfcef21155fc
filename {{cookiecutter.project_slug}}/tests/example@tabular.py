"""The data set that the tests train on: all that they know about it."""

# Hydra options that choose it, in any folder
OPTIONS = ["data=breast_cancer"]
# An option that changes the split
OTHER_SPLIT = "data.split_seed=1"
FOLDER = "data/processed/breast_cancer"
COUNT = 569
CLASSES = ["malignant", "benign"]
# A file with a row of each class, all of which a trained model should recognise
SAMPLES = {name: f"{FOLDER}/samples/{name}.csv" for name in CLASSES}
LABEL, SAMPLE = "benign", SAMPLES["benign"]
# The accuracy on the test split that the default configuration reaches at least
ACCURACY = 0.95
