"""One session for each task; `nox --list` names them.

PyTorch is its CPU build, which has 200 MB instead of several GB.
"""

import shutil
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
sys.path.append(str(ROOT / "tests"))
from machine import move_in  # noqa: E402 - it lies in the folder that the line above adds

nox.needs_version = ">=2025.5.1"
nox.options.sessions = ["tests"]

TORCH = "torch==2.13.0"
# A formatter of Terraform files, and an emulator of Azure's storage
NODE_PACKAGES = ["@cdktn/hcl-tools@0.24.0", "azurite@3.37.0"]
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"


def torch_index(session: nox.Session) -> Path:
    """Download the CPU build of PyTorch once, into a folder that pip and uv take as an index."""
    folder = ROOT / ".cache" / "torch-cpu"
    project = folder / "torch"
    version = session.run(
        "python", "-c", "import sys; print('cp%d%d' % sys.version_info[:2])", silent=True
    ).strip()
    if not list(project.glob(f"torch-*-{version}-*.whl")):
        where = ["--retries", "1", "--extra-index-url", CPU_BUILDS, "--dest", str(project)]
        session.run("python", "-m", "pip", "download", "--quiet", "--no-deps", *where, TORCH)
    wheels = sorted(path.name for path in project.glob("torch-*.whl"))
    links = "".join(f'<a href="{name.replace("+", "%2B")}">{name}</a>\n' for name in wheels)
    (project / "index.html").write_text(links, encoding="utf-8")
    return folder


def install_torch(session: nox.Session) -> Path:
    """Install the CPU build with pip; later installations find it there and keep it."""
    folder = torch_index(session)
    session.install("--quiet", TORCH, "--find-links", str(folder / "torch"))
    return folder


def install_node_packages(session: nox.Session) -> None:
    """Install the packages that tests run with node into .cache/node, if there is npm."""
    if not shutil.which("npm"):
        session.warn("There is no npm: tests that run node will be skipped")
        return
    options = ["--no-audit", "--no-fund", "--no-save", "--loglevel=error"]
    folder = ROOT / ".cache" / "node"
    folder.mkdir(parents=True, exist_ok=True)
    session.run("npm", "install", "--prefix", str(folder), *options, *NODE_PACKAGES, external=True)


def install_everything(session: nox.Session) -> dict[str, str]:
    """Install the dependencies of the tests and of any baked project.

    From here on, the session has a home folder of its own: see `tests/machine.py`.

    Returns:
        The variables that the tests need. pytest writes lines of so many COLUMNS in its summary.
    """
    move_in()
    folder = install_torch(session)
    session.install("--quiet", "uv>=0.9")
    groups = ["--group", "test", "--group", "baked"]
    session.run("uv", "pip", "install", "--quiet", "--python", session.virtualenv.location, *groups)
    install_node_packages(session)
    return {"MLBAKE_TORCH": str(folder), "COLUMNS": "500"}


@nox.session
def quickstart(session: nox.Session) -> None:
    """Bake the default project, install it and train it: `nox -s quickstart [-- FOLDER]`."""
    folder = Path(session.posargs[0] if session.posargs else session.create_tmp()).resolve()
    target = folder / "my_ml_project"
    if session.posargs and target.exists():
        session.error(f"{target} exists: remove it or name another folder")
    shutil.rmtree(target, ignore_errors=True)
    session.install("--quiet", "cookiecutter>=2.7.1")
    session.run("cookiecutter", "--no-input", str(ROOT), "--output-dir", str(folder))
    install_torch(session)
    session.chdir(target)
    session.install("--quiet", "--editable", ".")
    session.run("my_ml_project", "train")
    session.run("my_ml_project", "evaluate")
    session.log(f"The project is in {target}")


@nox.session
def tests(session: nox.Session) -> None:
    """Bake and check every combination: `nox -s tests [-- PYTEST ARGUMENTS]`."""
    variables = install_everything(session)
    session.run("pytest", *(session.posargs or ["--numprocesses", "2"]), env=variables)


@nox.session
def slow(session: nox.Session) -> None:
    """Run the tests that rarely break: `nox -s slow [-- PYTEST ARGUMENTS]`."""
    variables = install_everything(session)
    arguments = ["-m", "slow", *(session.posargs or ["--numprocesses", "2"])]
    session.run("pytest", *arguments, env=variables)


@nox.session
def attack(session: nox.Session) -> None:
    """Attack the service of a new bake: `nox -s attack [-- task=text serving=bentoml]`."""
    install_everything(session)
    session.run("python", "-m", "attack", *session.posargs, env={"PYTHONPATH": str(ROOT / "tests")})


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation strictly, or serve it: `nox -s docs [-- serve]`."""
    session.install("--quiet", "zensical>=0.0.70")
    session.run("zensical", *(session.posargs or ["build", "--strict"]))


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure the README's numbers: `nox -s benchmarks`."""
    install_everything(session)
    session.install("--quiet", "litserve>=0.2.10")
    for name in ("bake", "startup", "route"):
        session.run("python", f"benchmarks/{name}.py")
    for task in ("image", "text", "tabular"):
        for name in ("training", "serving"):
            session.run("python", f"benchmarks/{name}.py", f"--task={task}")


if __name__ == "__main__":
    nox.main()
