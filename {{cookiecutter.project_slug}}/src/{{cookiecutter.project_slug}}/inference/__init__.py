"""A trained model from its file, and the predictions that it makes."""
