import example
import numpy as np
import pytest
from service import SlowPredictor, answering


@pytest.fixture(scope="package")
def client(model):
    """Ask a service of this process."""
    with answering(model) as client:
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
