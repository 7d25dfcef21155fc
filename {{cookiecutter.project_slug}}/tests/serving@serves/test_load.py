"""The load test itself: it runs against the real service and writes its report."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from service import PATIENCE, client_of, free_port, start

if importlib.util.find_spec("locust") is None:  # importing it would patch this process
    pytest.skip("Locust is not installed: install the `load` group", allow_module_level=True)

LOCUSTFILE = Path(__file__).with_name("locustfile.py")


@pytest.fixture
def url(model):
    port = free_port()
    command = ["{{ cookiecutter.project_slug }}", "serve"]
    process = start(*command, stdout=subprocess.DEVNULL, SERVE_MODEL=model, SERVE_PORT=port)
    with client_of(process, port) as client:
        yield client.base_url
    process.terminate()
    process.communicate(timeout=PATIENCE)


def test_no_request_fails_and_the_report_is_written(url, tmp_path):
    report = tmp_path / "reports/load.html"
    report.parent.mkdir()
    command = [sys.executable, "-m", "locust", f"--locustfile={LOCUSTFILE}", f"--host={url}"]
    for seconds in (2, 8, 32, 128):  # a busy machine may send nothing in the first ones
        options = ["--headless", "--users=8", "--spawn-rate=8", f"--html={report}"]
        done = subprocess.run(
            [*command, *options, f"--run-time={seconds}s"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        if "one sample" in report.read_text("utf-8"):
            return
    pytest.fail("Locust has sent no sample")
