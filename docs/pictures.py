"""Draw docs/bake.svg, the picture in the README: a real bake, answered with Enter all the way.

python docs/pictures.py
"""

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = 88


def record() -> str:
    """Run the questions on a terminal, press Enter at each, and return all that was shown."""
    terminal, process_side = pty.openpty()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "COLUMNS": str(COLUMNS),
            "TERM": "xterm-256color",
            "HOME": folder,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "cookiecutter", str(ROOT)],
            cwd=folder,
            env=environment,
            stdin=process_side,
            stdout=process_side,
            stderr=process_side,
        )
        os.close(process_side)
        shown = b""
        while True:
            try:
                shown += os.read(terminal, 4096)
            except OSError:  # the other side was closed: the process has ended
                break
            if re.search(rb"\)(\x1b\[0m)?: $", shown):
                os.write(terminal, b"\n")
        if process.wait():
            sys.exit(shown.decode())
    return shown.decode().replace("\r\n", "\n")


def draw(text: str) -> str:
    """Draw terminal output as SVG, without fonts from elsewhere."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ cookiecutter gh:ORG/mlbake"))
    console.print(Text.from_ansi(text))
    svg = console.export_svg(title="mlbake", unique_id="mlbake")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


if __name__ == "__main__":
    (ROOT / "docs" / "bake.svg").write_text(draw(record()), encoding="utf-8")
