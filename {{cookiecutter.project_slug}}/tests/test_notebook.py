import ast
import json
import shutil
from pathlib import Path

import example
import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

ROOT = Path(__file__).resolve().parents[1]
OVERRIDES = "overrides=[]"
CELLS = [
    cell
    for cell in json.loads((ROOT / "notebooks/explore.ipynb").read_text("utf-8"))["cells"]
    if cell["cell_type"] == "code"
]


def run_cell(source: str, variables: dict) -> object:
    """Run a cell and return the value that Jupyter would show below it."""
    *body, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        body, last = [*body, last], ast.Expr(ast.Constant(None))
    exec(compile(ast.Module(body, []), "cell", "exec"), variables)  # noqa: S102
    return eval(compile(ast.Expression(last.value), "cell", "eval"), variables)  # noqa: S307


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
@pytest.mark.parametrize("start", [".", "notebooks"])
def test_the_notebook_runs_and_draws(trained, start, monkeypatch, tmp_path):
    mpl.use("Agg")
    for folder in ("configs", "notebooks"):
        shutil.copytree(ROOT / folder, folder)
    for folder in ("data", "models"):
        shutil.copytree(trained / folder, folder)
    monkeypatch.chdir(tmp_path / start)
    variables: dict = {}
    sources = ["".join(cell["source"]) for cell in CELLS]
    assert sum(source.count(OVERRIDES) for source in sources) == 1
    chosen = f"overrides={example.OPTIONS}"
    shown = [run_cell(source.replace(OVERRIDES, chosen), variables) for source in sources]
    figures = [value for value in shown if isinstance(value, Figure)]
    figures += [plt.figure(number) for number in plt.get_fignums()]
    plt.close("all")
    assert len(figures) == 5
    for figure in figures:
        figure.savefig("figure.png")
    assert variables["predictor"].classes == variables["data"].classes
    assert Path.cwd().samefile(tmp_path)


def test_the_notebook_is_stored_without_outputs():
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in CELLS)
