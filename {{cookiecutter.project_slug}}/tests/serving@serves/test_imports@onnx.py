import os
import subprocess
import sys

from service import SOURCE


def test_serving_imports_no_pytorch(model):
    code = """\
import sys
from {{ cookiecutter.project_slug }}.serving.api import load_app
load_app()
sys.exit("torch" in sys.modules)"""
    environment = os.environ | {"PYTHONPATH": str(SOURCE), "SERVE_MODEL": str(model)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
