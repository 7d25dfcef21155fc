"""Keep the files that were chosen, then print the next commands.

A mark in a path says when a file is there: `api@fastapi.py` becomes `api.py` where `fastapi` holds,
and is deleted elsewhere. With several marks, all must hold. A file without a mark stays as it is,
and so does a file of yours that has one: only what this bake wrote is touched.
"""

import json
import os
import re
import shutil
from pathlib import Path

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")

slug = ANSWERS["project_slug"]
task = ANSWERS["task"]
license_name = ANSWERS["license"]
environment = ANSWERS["environment"]
tracker = ANSWERS["tracker"]
onnx_export = ANSWERS["onnx_export"]
serving = ANSWERS["serving"]
docker = ANSWERS["docker"]
ci = ANSWERS["ci"]
cloud = ANSWERS["cloud"]
# Where there is something to deploy: Google Cloud takes a function without an image
deploys = serving != "none" and (cloud == "gcp" or (docker and cloud != "none"))
# Where images get tags of their own: Google's for training have the commit's, as Cloud Build's do
tags = docker and (cloud in {"aws", "azure"} or (cloud == "gcp" and deploys))

# The words of marks, and when each holds
HOLDS = {
    "apache": license_name == "Apache-2.0",
    "aws": cloud == "aws",
    "azure": cloud == "azure",
    "bentoml": serving == "bentoml",
    "bsd": license_name == "BSD-3-Clause",
    "ci": ci != "none",
    "cloud": cloud != "none",
    "comet": tracker == "comet",
    "conda": environment == "conda",
    "deploys": deploys,
    "docker": docker,
    "fastapi": serving == "fastapi",
    "gcp": cloud == "gcp",
    "github": ci == "github",
    "gitlab": ci == "gitlab",
    "image": task == "image",
    "mit": license_name == "MIT",
    "mlflow": tracker == "mlflow",
    "no-docker": not docker,
    "no-onnx": not onnx_export,
    "no-table": task != "tabular",
    "onnx": onnx_export,
    "proprietary": license_name == "Proprietary",
    "secrets": tracker in {"wandb", "mlflow", "comet"} or cloud != "none",
    "serves": serving != "none",
    "tabular": task == "tabular",
    "tags": tags,
    "tensorboard": tracker == "tensorboard",
    "text": task == "text",
    "tracks": tracker != "none",
    "wandb": tracker == "wandb",
}
MARK = re.compile(rf"(?<=[^/])@({'|'.join(HOLDS)})(?=[@./]|$)")

# The other hook writes both where the folder holds files already
BEFORE = Path(".mlbake-before")
PROBE = Path("LICENSE@bsd" if license_name == "MIT" else "LICENSE@mit")

NEXT = {
    "uv": [f"cd {slug}", "uv sync", f"uv run {slug} train"],
    "conda": [
        f"cd {slug}",
        "conda env create --file environment.yml",
        f"conda activate {slug}",
        f"pip install --editable . {ANSWERS['__groups']}",
        f"{slug} train",
    ],
}


def final(path: str) -> "str | None":
    """Return the path without its marks, or None if one of them does not hold."""
    return MARK.sub("", path) if all(HOLDS[word] for word in MARK.findall(path)) else None


def what_was_here() -> "tuple[dict[str, int], bool]":
    """Return the times of paths that were here before, and whether files that were here stay.

    They do with `--skip-if-file-exists`: the engine then leaves the probe empty. As it overwrites
    even then what it copies without rendering, these files get their old content back.
    """
    if not BEFORE.is_dir():
        return {}, False
    times = json.loads((BEFORE / "times.json").read_text(encoding="utf-8"))
    stay = PROBE.stat().st_size == 0
    for copy in (BEFORE / "files").rglob("*") if stay else ():
        if copy.is_file():
            shutil.copy2(copy, copy.relative_to(BEFORE / "files"))
    shutil.rmtree(BEFORE)
    return times, stay


def settle() -> None:
    """Rename or delete the marked files of this bake, and delete the folders that this empties."""
    times, stay = what_was_here()
    marked = [
        path
        for path in Path().rglob("*")
        if MARK.search(path.as_posix())
        and path.is_file()
        and path.lstat().st_mtime_ns != times.get(path.as_posix())
    ]
    for path in marked:
        name = final(path.as_posix())
        target = Path(name or path)
        # The engine, too, passes by a folder that has the name of a file
        if name is None or target.is_dir() or (stay and os.path.lexists(target)):
            path.unlink()
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    for folder in sorted({folder for path in marked for folder in path.parents}, reverse=True):
        if folder.name and folder.as_posix() not in times and not any(folder.iterdir()):
            folder.rmdir()


settle()
# The engine ignores an answer to a misspelt question: show what was chosen
answers = [task, license_name, environment, tracker, onnx_export and "ONNX", serving, ci, cloud]
chosen = [name for name in [*answers, docker and "docker"] if name not in {"none", False}]
print(f"\nBaked {slug} ({', '.join(chosen)}). Next:\n")
for command in NEXT[environment]:
    print(f"  {command}")
