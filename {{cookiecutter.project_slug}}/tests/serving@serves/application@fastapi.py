from contextlib import contextmanager

from {{ cookiecutter.project_slug }}.serving.api import create_app


@contextmanager
def application(predictor, settings):
    """Make the application around a predictor of the test."""
    yield create_app(predictor, settings)
