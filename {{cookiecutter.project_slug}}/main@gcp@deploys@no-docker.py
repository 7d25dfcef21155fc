"""What the function's platform imports: it wants this name, in this place."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "src"))

from {{ cookiecutter.project_slug }}.serving.function import handle

__all__ = ["handle"]
