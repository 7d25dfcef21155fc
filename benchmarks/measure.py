"""What the benchmarks share: turns, medians, a table and ratios against targets."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

Figures = dict[str, list[float]]


def take_turns(cases: Mapping[str, Callable[[], float]], turns: int) -> Figures:
    """Measure every case once a turn, so that a busy spell of the machine hits all of them.

    Args:
        cases: What to call for each name; each returns its figure.
        turns: How often; one more turn, the first, is not counted.

    Returns:
        The figures of each case, turn by turn.
    """
    figures: Figures = {name: [] for name in cases}
    for turn in range(turns + 1):
        for name, measure in cases.items():
            figure = measure()
            if turn:
                figures[name].append(figure)
    return figures


def process_seconds(
    command: Sequence[str], environment: Mapping[str, str] | None = None, folder: str | None = None
) -> float:
    """Run a process to its end and return its wall time in seconds.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    variables = {**os.environ, **(environment or {})}
    start = time.perf_counter()
    subprocess.run(command, env=variables, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def show(figures: Figures, unit: str, digits: int = 0) -> None:
    """Print the median of each case and its range."""
    width = max(map(len, figures))
    for name, values in figures.items():
        middle = f"{statistics.median(values):,.{digits}f}"
        span = f"{min(values):,.{digits}f} to {max(values):,.{digits}f}"
        print(f"{name:<{width}}  {middle:>9} {unit}  ({span})")


def ratio(figures: Figures, numerator: str, denominator: str) -> float:
    """Return the median of the ratios that the turns give."""
    pairs = zip(figures[numerator], figures[denominator], strict=True)
    return statistics.median(above / below for above, below in pairs)


def verdict(
    label: str, value: float, at_least: float | None = None, at_most: float | None = None
) -> None:
    """Print a value and, as information, whether it reaches its target."""
    line = f"{label}: {value:.2f}"
    if at_least is not None:
        line += f"  (target: at least {at_least:g}, {'PASS' if value >= at_least else 'miss'})"
    if at_most is not None:
        line += f"  (target: at most {at_most:g}, {'PASS' if value <= at_most else 'miss'})"
    print(line)
