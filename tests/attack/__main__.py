"""Bake a project, start its service, and attack it; exit code 1 after a fault.

python -m attack [cookiecutter answers such as task=text serving=bentoml]
python -m attack --service FOLDER   # a bake that is there, with its exported model
python -m attack --only uploads     # the attacks of a module, or one
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bakery import bake
from own_data import paint_leaves

from attack import bodies, clients, framing, load, logs, models, stopping, tensors, uploads
from attack.client import predict
from attack.rules import ATTACKS, carry_out
from attack.samples import Samples
from attack.service import Project, check

# In the order in which they attack
MODULES = [bodies, tensors, uploads, framing, clients, load, stopping, logs, models]
# Pictures are larger than those of the example: then wrong ones cost what they cost in real use
IMAGES = ["data=image_folder", "data.image_shape=[3,64,64]"]
MOST_KEPT = 300  # MB beyond idle that a service has after all attacks


def prepare(answers: list[str], folder: Path) -> Project:
    """Bake a project, train its model for an epoch and export it."""
    typed = {"true": True, "false": False}
    given = {"tracker": "none"} | dict(answer.split("=", 1) for answer in answers)
    project = Project(bake({k: typed.get(v, v) for k, v in given.items()}, folder).path)
    options = ["trainer.max_epochs=1"]
    if given.get("task", "image") == "image":
        paint_leaves(project.folder / "data/raw/pictures")
        options += IMAGES
    commands = [["train", *options], ["export"]]
    for command in commands[: 1 + (given.get("onnx_export", "true") == "true")]:
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        done = project.command("-m", project.package, *command, **pipe)
        said = done.communicate()[0].decode()
        check(done.returncode == 0, f"{' '.join(command)}: {said[-500:]}")
    return project


async def attack_all(project: Project, only: str) -> list[str]:
    """Carry out the attacks; after a fault the service is started anew. Return their faults."""
    faults: list[str] = []
    order = [module.__name__.rpartition(".")[2] for module in MODULES]
    waiting = [one for one in ATTACKS if only in {"", *one.name.split("."), one.name}]
    waiting.sort(key=lambda one: order.index(one.name.partition(".")[0]))
    while waiting:
        with project.start(watched=True) as service:
            project.service = service
            model, document = (service.get(path).json() for path in ("/model", "/openapi.json"))
            project.samples = Samples.read(model, document)
            project.expected = (await service.send(predict(project.samples.one))).json()
            await project.ask(service, 5)
            idle = service.seen()["memory"]
            hurt = False
            while waiting and not hurt:
                one = waiting.pop(0)
                if project.samples.key in one.tasks:
                    faults.append(await carry_out(one, project))
                    hurt = bool(faults[-1]) and not one.alone
            kept = service.seen()["memory"] - idle
            print(f"The service had {idle:.0f} MB at first, and {kept:+.0f} MB in the end")
            if kept > MOST_KEPT:
                faults.append("it keeps memory")
    return faults


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="attack", description=__doc__.splitlines()[0])
    parser.add_argument("answers", nargs="*", help="cookiecutter answers, such as task=text")
    parser.add_argument("--service", type=Path, help="the folder of a finished bake")
    parser.add_argument("--only", default="", help="a module of attacks, or an attack")
    asked = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        if asked.service:
            project = Project(asked.service.resolve())
        else:
            project = prepare(asked.answers, Path(folder))
        faults = asyncio.run(attack_all(project, asked.only))
    failed = sum(map(bool, faults))
    print(f"{len(faults)} attacks, {failed} failed, {time.monotonic() - start:.0f} s")
    return int(failed > 0 or not faults)


if __name__ == "__main__":
    sys.exit(main())
