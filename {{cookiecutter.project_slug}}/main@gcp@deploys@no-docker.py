"""The Cloud Function's platform imports this file, by its name, from this folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "src"))

from {{ cookiecutter.project_slug }}.serving.function import handle

__all__ = ["handle"]
