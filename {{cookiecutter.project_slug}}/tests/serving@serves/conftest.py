import example
import numpy as np
import pytest
from service import SlowPredictor, is_ready, running, until

from {{ cookiecutter.project_slug }}.inference.predictor import Predictor


@pytest.fixture(scope="package")
def client(model):
    """Ask a service of this process."""
    with running(Predictor(model)) as client:
        until(lambda: is_ready(client))
        yield client


@pytest.fixture
def slow(model):
    predictor = SlowPredictor(model)
    yield predictor
    predictor.may_run.set()


@pytest.fixture(scope="package")
def inputs(trained):
    return np.load(trained / example.FOLDER / "test_inputs.npy")


@pytest.fixture(scope="package")
def sample(trained):
    return (trained / example.SAMPLE).read_bytes()
