"""Classification: data, network, training, evaluation and prediction."""


class UserError(Exception):
    """An error that the user can fix: the command line prints the text alone and exits with 2."""
