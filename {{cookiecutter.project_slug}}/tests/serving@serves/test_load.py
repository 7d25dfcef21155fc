"""The load test itself: it runs against the real service and writes its report."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from {{ cookiecutter.project_slug }} import UserError

if importlib.util.find_spec("locust") is None:  # importing it would patch this process
    pytest.skip("Locust is not installed: install the `load` group", allow_module_level=True)

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
SOURCE = Path(sys.modules[UserError.__module__].__file__).parents[1]


@pytest.fixture
def url(model):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = {"SERVE_MODEL": str(model), "SERVE_PORT": str(port), "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-m", "{{ cookiecutter.project_slug }}", "serve"]
    service = subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/readyz"):  # noqa: S310
                break
        except urllib.error.URLError:
            time.sleep(0.1)
    yield url
    service.terminate()
    service.wait(10)


def test_no_request_fails_and_the_report_is_written(url, tmp_path):
    report = tmp_path / "reports/load.html"
    report.parent.mkdir()
    options = ["--headless", "--users=8", "--spawn-rate=8", "--run-time=3s", f"--html={report}"]
    command = [sys.executable, "-m", "locust", f"--locustfile={LOCUSTFILE}", f"--host={url}"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "one image" in report.read_text("utf-8")
