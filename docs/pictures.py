"""Draw the pictures of the documentation from a real bake: `python docs/pictures.py`.

docs/bake.svg shows the questions, answered with Enter all the way; docs/structure.svg shows the
folders of the baked package, and their imports; docs/tasks.svg shows what each task says after a
training, so that it needs an environment with what a project needs.
"""

import ast
import io
import os
import pty
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cookiecutter.main import cookiecutter
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = 88


def record(*command: str, folder: str, **environment: str) -> str:
    """Run a command on a terminal, press Enter at each question, and return all that was shown."""
    terminal, process_side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color", **environment},
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


def questions() -> str:
    """Show the questions of a bake, answered with Enter."""
    with tempfile.TemporaryDirectory() as folder:
        shown = record("cookiecutter", str(ROOT), folder=folder, HOME=folder)
    return f"$ cookiecutter gh:ORG/mlbake\n{shown}"


def bake(folder: str, **answers: str) -> Path:
    """Bake a project with the default answers but these."""
    baked = cookiecutter(
        str(ROOT),
        no_input=True,
        extra_context=answers,
        output_dir=folder,
        default_config={"cookiecutters_dir": folder, "replay_dir": folder},
    )
    return Path(baked)


SAMPLES = {
    "image": "data/processed/digits/samples/3.png",
    "text": '"ein lachendes Gesicht"',
    "tabular": "data/processed/breast_cancer/samples/benign.csv",
}


def tasks() -> str:
    """Train, evaluate, export and ask a project of each task, and show what it says."""
    shown = []
    for task, sample in SAMPLES.items():
        with tempfile.TemporaryDirectory() as folder:
            shown.append(f"$ cookiecutter gh:ORG/mlbake task={task}")
            project = bake(folder, task=task)
            for command in ("train", "evaluate", "export", f"predict {sample} --top 3"):
                output = record(
                    project.name,
                    *shlex.split(command),
                    folder=str(project),
                    PYTHONPATH="src",
                    WANDB_MODE="disabled",
                )
                # A line for each epoch would hide the rest
                lines = ["..."] if command == "train" else output.rstrip().splitlines()
                shown += [f"$ my_ml_project {command}", *lines]
            shown.append("")
    return "\n".join(shown)


def draw(text: str) -> str:
    """Draw terminal output as SVG, without fonts from elsewhere."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(text))
    svg = console.export_svg(title="mlbake", unique_id="mlbake")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


@dataclass
class Wing:
    """A folder of the baked package, or the modules beside the folders.

    Attributes:
        modules: Names of its files.
        imports: Names of the wings that these import.
        floor: 0 for a wing that imports none, else one above the highest that it imports.
    """

    modules: list[str] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    floor: int = 0


def wings(package: Path) -> dict[str, Wing]:
    """Read the wings of a package, and their imports, from its files."""
    found: dict[str, Wing] = {}
    for path in sorted(package.rglob("*.py")):
        *folders, name = path.relative_to(package).parts
        if name in {"__init__.py", "__main__.py"}:
            continue
        wing = found.setdefault(folders[0] if folders else "", Wing())
        wing.modules.append(name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == len(folders) + 1:
                target = (node.module or "").partition(".")[0]
                wing.imports |= {target} if target else {alias.name for alias in node.names}
    for wing in found.values():
        wing.imports &= found.keys()
    for _ in found:  # a floor for each wing at most
        for wing in found.values():
            wing.floor = max((found[name].floor + 1 for name in wing.imports), default=0)
    return found


WIDTH, BOX, LINE, GAP = 880, 250, 17, 46
STYLE = """
  rect { fill: #eef3fb; stroke: #4a6fa5; rx: 6 }
  .yours { fill: #eaf6ec; stroke: #3c8d50 }
  text { font: 13px ui-monospace, monospace; fill: #1c2733 }
  .name { font-weight: bold }
  path { fill: none; stroke: #7d8fa8; marker-end: url(#arrow) }
"""

ARROW = """<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"
markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" style="fill: #7d8fa8; stroke: none;
marker-end: none"/></marker></defs>"""


def draw_structure(found: dict[str, Wing]) -> str:
    """Draw the wings as SVG: each on its floor, with an arrow to each wing that it imports."""
    floors: dict[int, list[str]] = {}
    for name, wing in found.items():
        floors.setdefault(wing.floor, []).append(name)
    boxes: dict[str, tuple[float, float, float]] = {}  # left, top and height
    top = 10.0
    for floor in sorted(floors, reverse=True):
        names = sorted(floors[floor])
        height = LINE * (1.6 + max(len(found[name].modules) for name in names)) + 8
        free = (WIDTH - BOX * len(names)) / (len(names) + 1)
        for number, name in enumerate(names):
            boxes[name] = (free + number * (BOX + free), top, height)
        top += height + GAP
    arrows, shapes = [], []
    for name, wing in found.items():
        left, upper, height = boxes[name]
        for target in sorted(wing.imports):
            x, y, _ = boxes[target]
            start, end = left + BOX / 2 + (x - left) / 9, x + BOX / 2 + (left - x) / 9
            lower = upper + height
            middle = (lower + y) / 2
            arrows.append(
                f'<path d="M{start:.0f} {lower:.0f} C{start:.0f} {middle:.0f} '
                f'{end:.0f} {middle:.0f} {end:.0f} {y - 5:.0f}"/>'
            )
        yours = ' class="yours"' if name in {"datasets", "networks"} else ""
        shapes.append(
            f'<rect{yours} x="{left:.0f}" y="{upper:.0f}" width="{BOX}" height="{height:.0f}"/>'
        )
        lines = [f"{name}/" if name else "the door", *wing.modules]
        shapes += [
            f"<text{' class=' + chr(34) + 'name' + chr(34) if number == 0 else ''} "
            f'x="{left + 12:.0f}" y="{upper + LINE * (number + 1.2):.0f}">{line}</text>'
            for number, line in enumerate(lines)
        ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top - GAP + 10:.0f}">',
            f"<style>{STYLE}</style>",
            ARROW,
            *arrows,
            *shapes,
            "</svg>",
            "",
        ]
    )


def structure() -> str:
    """Bake a project that has every wing, and draw its package."""
    with tempfile.TemporaryDirectory() as folder:
        baked = bake(folder, cloud="aws")
        return draw_structure(wings(baked / "src" / baked.name))


if __name__ == "__main__":
    (ROOT / "docs" / "bake.svg").write_text(draw(questions()), encoding="utf-8")
    (ROOT / "docs" / "structure.svg").write_text(structure(), encoding="utf-8")
    (ROOT / "docs" / "tasks.svg").write_text(draw(tasks()), encoding="utf-8")
