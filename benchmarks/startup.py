"""Start-up of a baked project's command line: its help, and a composed configuration.

Both run as whole processes, next to `python -c pass` and to the imports that they can't avoid. What
the help's time is spent on follows, from `python -X importtime`.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import process_seconds, ratio, show, take_turns, verdict

TEMPLATE = Path(__file__).resolve().parents[1]
SLUG = "bench_project"

PYTHON = "python -c pass"
TYPER = "import typer"
HYDRA = "import hydra"
HELP = f"{SLUG} --help"
CONFIG = f"{SLUG} train --cfg job"


def slowest_imports(command: list[str], folder: Path, count: int) -> list[tuple[float, str]]:
    """Return the modules whose own code takes longest to import, in milliseconds.

    What a module imports in turn is not part of its time.
    """
    traced = [sys.executable, "-X", "importtime", *command]
    done = subprocess.run(traced, cwd=folder, check=True, capture_output=True, text=True)
    modules = []
    for line in done.stderr.splitlines():
        own, *_, name = line.removeprefix("import time:").split("|")
        if own.strip().isdigit():
            modules.append((int(own) / 1000, name.strip()))
    return sorted(modules, reverse=True)[:count]


def main() -> None:
    """Bake a project, take turns and print the medians in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=15)
    turns = parser.parse_args().turns

    with tempfile.TemporaryDirectory() as temporary:
        bake = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input"]
        answers = ["--output-dir", temporary, f"project_slug={SLUG}", "tracker=none"]
        subprocess.run([*bake, *answers], check=True, capture_output=True)
        # `-m` puts the current folder first on the path: what the installed command would find
        source = Path(temporary, SLUG, "src")

        def run(*command: str) -> Callable[[], float]:
            return lambda: 1000 * process_seconds([sys.executable, *command], folder=str(source))

        figures = take_turns(
            {
                PYTHON: run("-c", "pass"),
                TYPER: run("-c", "import typer"),
                HELP: run("-m", SLUG, "--help"),
                HYDRA: run("-c", "import hydra"),
                CONFIG: run("-m", SLUG, "train", "--cfg", "job"),
            },
            turns,
        )
        imports = slowest_imports(["-m", SLUG, "--help"], source, count=6)
    show(figures, "ms", digits=1)
    print()
    verdict("--help / python -c pass", ratio(figures, HELP, PYTHON))
    verdict("--help / import typer", ratio(figures, HELP, TYPER))
    verdict("--help, seconds", statistics.median(figures[HELP]) / 1000, at_most=0.3)
    verdict("train --cfg job / python -c pass", ratio(figures, CONFIG, PYTHON))
    verdict("train --cfg job / import hydra", ratio(figures, CONFIG, HYDRA))
    print("\nLongest imports of --help, without what they import in turn:")
    for milliseconds, name in imports:
        print(f"{milliseconds:6.1f} ms  {name}")


if __name__ == "__main__":
    main()
