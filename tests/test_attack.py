"""The service of a baked project under attack: see `tests/attack/`."""

import sys

import pytest
from bakery import TEMPLATE
from tools import printed, run


@pytest.mark.slow
def test_a_service_holds_under_attack() -> None:
    done = run(sys.executable, "-m", "attack", PYTHONPATH=str(TEMPLATE / "tests"))
    assert done.returncode == 0, printed(done)
