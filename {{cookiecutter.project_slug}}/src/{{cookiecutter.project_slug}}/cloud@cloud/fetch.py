"""`cloud fetch`: the model of a training job comes home, with its metrics and `dvc.lock`."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import UserError
from .download import download_commands
from .provider import LOGIN
from .shell import Command, found, printed, run

PROGRAM = "{{ cookiecutter.project_slug }}"
# What a machine decides, and no setting of the model
MACHINE = {
    "data.memory_limit_mb",
    "data.num_workers",
    "trainer.accelerator",
    "trainer.devices",
    "trainer.precision",
    "trainer.strategy",
}


def fetch(job: str, *, dry_run: bool) -> None:
    """Download and evaluate a model; if all is well, put it in the place of the current one.

    The current checkpoint becomes `former.ckpt` in the folder of the download.

    Args:
        job: Name of the job.
        dry_run: Print the commands, and run none.

    Raises:
        UserError: Files that would be replaced have changes, or code or settings are not those of
            the job, in which case the working tree stays as it is; or a command failed.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", job):
        raise UserError(f"{job!r} is no name of a job")
    folder = Path("outputs/fetch", job)
    results = folder{{ ' / "named-outputs/model"' if cookiecutter.cloud == "azure" }}
    checkpoint = f"checkpoint={results.as_posix()}/model.ckpt"
    commands = [
        *download_commands(job, folder),
        Command([PROGRAM, "evaluate", checkpoint, f"reports={results.as_posix()}/reports"]),
{%- if cookiecutter.onnx_export %}
        Command([PROGRAM, "export", checkpoint, f"onnx={results.as_posix()}/model.onnx"]),
{%- endif %}
    ]
    lock = [Command(["dvc", "commit", "--force"])]
    if dry_run:
        run([*commands, *lock], LOGIN, dry_run=True)
        return
    refuse_changes()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run(commands, LOGIN, dry_run=False)
    check(job, results)
    for target in (Path("models"), Path("reports")):
        target.mkdir(exist_ok=True)
    if (current := Path("models/model.ckpt")).exists():
        current.replace(folder / "former.ckpt")
{%- if cookiecutter.onnx_export %}
    (results / "model.onnx").replace("models/model.onnx")
{%- endif %}
    (results / "model.ckpt").replace(current)
    for report in results.glob("reports/*"):
        report.replace(Path("reports", report.name))
    run(lock, LOGIN, dry_run=False)


def refuse_changes() -> None:
    """Refuse to replace what neither git nor DVC has.

    Raises:
        UserError: Names a file with changes.
    """
    replaced = ["dvc.lock", "reports", ":!reports/*.md"]
    lines = printed(["git", "status", "--porcelain", "--", *replaced]).splitlines()
    files = json.loads(printed(["dvc", "data", "status", "--json"])).get("uncommitted", {})
    changed = [line[3:] for line in lines] + files.get("modified", []) + files.get("added", [])
    if changed:
        raise UserError(f"{changed[0]} has changes: commit or discard them first")


def check(job: str, results: Path) -> None:
    """Refuse a model that was trained by other code or settings: `dvc.lock` would be wrong.

    Raises:
        UserError: Names what differs.
    """
    from omegaconf import OmegaConf

    from ..inference.checkpoint import load_checkpoint

    commit = load_checkpoint(results / "model.ckpt").get("commit")
    code = [f"src/{PROGRAM}/{folder}" for folder in ("datasets", "networks", "training")]
    compared = ["git", "diff", "--quiet", f"{commit}", "--", *code]
    if subprocess.run(found(compared), check=False, capture_output=True).returncode:  # noqa: S603
        raise UserError(
            f"{job} was trained by the code of commit {commit}, and here is another: check that "
            "one out, or train again"
        )
    configs = OmegaConf.create(printed([PROGRAM, "train", "--cfg", "job"]))
    here = dict(settings(OmegaConf.to_container(configs)))
    there = dict(settings(OmegaConf.to_container(OmegaConf.load(results / "hydra/config.yaml"))))
    for name in sorted(here.keys() | there.keys()):
        if here.get(name) != there.get(name):
            raise UserError(
                f"{job} was trained with {name}={there.get(name)}, configs/ has "
                f"{here.get(name)}: write the job's value there, and fetch it again"
            )


def settings(node: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Name each setting of a model, such as `model.optimizer.lr`, with its value."""
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from settings(value, f"{name}.{key}" if name else key)
    elif name not in MACHINE and re.match("callbacks|data|model|seed|trainer", name):
        yield name, node
