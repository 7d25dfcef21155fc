"""Image classification: data, network, training, evaluation and prediction."""


class UserError(Exception):
    """A mistake its reader can mend: the command line prints the text alone and exits with 2."""
