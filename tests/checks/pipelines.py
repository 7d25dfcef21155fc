"""Checks of what the pipelines of one project name: jobs, steps, images, variables."""

import functools
import re
from typing import Any

from checks.texts import read_yaml
from checks.tree import Tree

ACTION = re.compile(r"^ *(?:- )?uses: (\S+)(.*)$", re.MULTILINE)
# What a .gitlab-ci.yml says of all jobs
KEYWORDS = {"default", "include", "stages", "variables", "workflow"}


def unpinned_actions(texts: dict[str, str]) -> list[str]:
    """Find actions that are not pinned by commit and version, or not everywhere to the same."""
    found: list[str] = []
    pins: dict[str, str] = {}
    for path, text in texts.items():
        for name, comment in ACTION.findall(text):
            if name.startswith("$/"):
                continue
            if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name) or not re.fullmatch(
                r" # v\d+\.\d+\.\d+", comment
            ):
                found.append(f"{path}: {name} is not pinned by commit, with its version behind")
            action = name.partition("@")[0]
            first = pins.setdefault(action, f"{name}{comment}")
            if first != f"{name}{comment}":
                found.append(f"{path}: {name}{comment}, elsewhere {first}")
    return found


def unknown_parts(tree: Tree) -> list[str]:
    """Find jobs, steps, inputs, images and variables that pipelines name and that are not there."""
    pages = "\n".join(tree.under(".md").values())
    found = []
    for path, text in tree.under(".yaml", folder=".github/workflows/").items():
        found += [f"{path}: {problem}" for problem in _workflow_problems(text)]
        found += [
            f"{path}: {name} gets an input that is not asked for: {given}"
            for name, given in _foreign_inputs(tree, text)
        ]
        found += [
            f"{path}: reads vars.{name}, which no page explains"
            for name in sorted(set(re.findall(r"vars\.(\w+)", text)))
            if name not in pages
        ]
    parts = {".gitlab-ci.yml": tree.texts.get(".gitlab-ci.yml", "")}
    parts |= tree.under(".yml", folder=".gitlab/ci/")
    if ".gitlab-ci.yml" in tree.texts:
        found += _gitlab_problems(tuple(parts.items()))
    images = {
        image
        for text in (*tree.under("images.yaml", "images.yml").values(),)
        for row in re.findall(r"(?:image|IMAGE): \[([\w, ]+)\]", text)
        for image in row.split(", ")
    }
    found += [
        f"pipelines build dockerfiles/{image}.dockerfile, which is not there"
        for image in sorted(images)
        if f"dockerfiles/{image}.dockerfile" not in tree.files
    ]
    return found


@functools.lru_cache(maxsize=2000)
def _workflow_problems(text: str) -> tuple[str, ...]:
    found = []
    workflow = read_yaml(text)
    jobs = workflow.get("jobs", {})
    for name, job in jobs.items():
        needs = job.get("needs", [])
        needs = [needs] if isinstance(needs, str) else needs
        found += [f"{name} needs {other}, which is no job" for other in needs if other not in jobs]
        said = str(job)
        for other, output in re.findall(r"needs\.(\w+)\.outputs\.(\w+)", said):
            if other not in needs or output not in jobs.get(other, {}).get("outputs", {}):
                found.append(f"{name} reads the output {output}, which {other} does not have")
        steps = {step.get("id") for step in job.get("steps", [])}
        found += [
            f"{name} reads step {step}, which it does not have"
            for step in sorted(set(re.findall(r"steps\.(\w+)\.", said)))
            if step not in steps
        ]
        axes = job.get("strategy", {}).get("matrix", {})
        found += [
            f"{name} reads matrix.{axis}, which it does not have"
            for axis in sorted(set(re.findall(r"matrix\.([\w-]+)", said)))
            if axis not in axes
        ]
    events = workflow.get(True)  # YAML 1.1 takes `on` for true
    inputs = {
        name
        for event in (events.values() if isinstance(events, dict) else ())
        for name in ((event or {}).get("inputs") or {} if isinstance(event, dict) else {})
    }
    found += [
        f"reads the input {name}, which is not asked for"
        for name in sorted(set(re.findall(r"(?<![\w./])inputs\.([\w-]+)", text)))
        if name not in inputs
    ]
    return tuple(found)


def _foreign_inputs(tree: Tree, text: str) -> list[tuple[str, str]]:
    """Find what calls of the project's own workflows and actions give that these do not take."""
    found = []
    jobs = read_yaml(text).get("jobs", {}).values()
    for call in (call for job in jobs for call in (job, *job.get("steps", []))):
        name = call.get("uses", "")
        if not name.startswith("$/"):
            continue
        path = name.removeprefix("$/")
        path = path if path in tree.texts else f"{path}/action.yaml"
        called: Any = read_yaml(tree.texts.get(path, "{}"))
        asked = (called.get(True) or {}).get("workflow_call") or {}
        taken = called.get("inputs") or asked.get("inputs")
        found += [(name, given) for given in call.get("with", {}) if given not in (taken or {})]
    return found


@functools.lru_cache(maxsize=2000)
def _gitlab_problems(parts: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    found = []
    pipeline: dict[str, Any] = {}
    for path, text in parts:
        content = read_yaml(text)
        found += [f"{path}: {name} is there twice" for name in content.keys() & pipeline.keys()]
        pipeline |= content
    included = [row["local"] for row in pipeline.get("include", [])]
    names = [path for path, _ in parts[1:]]
    found += [f".gitlab-ci.yml: does not include {name}" for name in names if name not in included]
    found += [f".gitlab-ci.yml: includes {name}" for name in included if name not in names]
    for path, text in parts:
        found += [
            f"{path}: refers to {name}, which is not there"
            for name in re.findall(r"!reference \[([\w.-]+),", text)
            if name not in pipeline
        ]
    jobs = {name: job for name, job in pipeline.items() if name not in KEYWORDS}
    for name, job in jobs.items():
        above = job.get("extends", [])
        needs = [one if isinstance(one, str) else one["job"] for one in job.get("needs", [])]
        for other in [*([above] if isinstance(above, str) else above), *needs]:
            if other not in jobs:
                found.append(f".gitlab-ci.yml: {name} needs {other}, which is no job")
        if "stage" in job and job["stage"] not in pipeline["stages"]:
            found.append(f".gitlab-ci.yml: {name} is in stage {job['stage']}, which is not there")
    used = {job.get("stage") for job in jobs.values()}
    found += [
        f".gitlab-ci.yml: no job is in stage {stage}"
        for stage in pipeline.get("stages", [])
        if stage not in used
    ]
    return tuple(found)
