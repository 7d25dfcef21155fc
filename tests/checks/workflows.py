"""Checks of what pipelines name: jobs, steps, images, variables, secrets."""

import functools
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from forest import Forest, Found, Where, per_class

from checks.texts import read_yaml
from checks.tree import Tree

ACTION = re.compile(r"^ *(?:- )?uses: (\S+)(.*)$", re.MULTILINE)
# What a .gitlab-ci.yml says of all jobs
KEYWORDS = {"default", "include", "spec", "stages", "variables", "workflow"}


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


INSTALLS = re.compile(
    r"\b(?:pip install|uv tool install|pipx run|conda (?:create|install)|az extension add)"
    r"(?P<words>(?: (?!&&|\|)\S+)*)"
)
# Options whose next word is no package of an index
TAKE_A_WORD = {"--editable", "--file", "--group", "--prefix"}
# Actions that install their newest tool if they are not told which one
INSTALLERS = {
    "conda-incubator/setup-miniconda": "miniforge-version",
    "google-github-actions/setup-gcloud": "version",
}


def unpinned_tools(path: str, text: str) -> list[str]:
    """Find tools that a pipeline takes in whatever version there is that day.

    Debian's packages are those of the release that the image's name has, and signed.
    """
    found = []
    for match in INSTALLS.finditer(text):
        words = shlex.split(match["words"])
        packages = [
            word.removeprefix("--spec")
            for before, word in pairwise(["", *words])
            if not word.startswith("-") and before not in TAKE_A_WORD
        ]
        if "pipx" in match[0]:
            packages = packages[:1]  # what follows are words of the tool
        if "az extension" in match[0]:
            packages = [one for one in words if one.startswith("--version")] or [match[0]]
        found += [
            one for one in packages if not re.search(r"(?<![<>~!=])={1,2}\d[\w.-]*$|<\d", one)
        ]
    for tool in re.findall(r"docker create ([^\s)]+)", text):
        own = tool in {'"$IMAGE"', '"$PUBLISHED"'}  # the project's, by its digest
        found += [tool] if not own and not re.search(r":v?\d+\.\d+", tool) else []
    for line in text.replace(" >-\n      ", " ").splitlines():
        if re.search(r"\b(?:curl|wget)\b.*\| *(?:tar|sh|bash|sudo)\b", line):
            found.append(line.strip())
    if "--output /tmp/" in text and "sha256sum --check" not in text:
        found.append("a download without its sum")
    for name, given in re.findall(r"uses: ([\w./-]+)@\S+.*\n((?: {6,}[^ -].*\n)*)", text):
        option = INSTALLERS.get(name)
        if option and not re.search(rf"^ +{option}: \"?\d", given, re.MULTILINE):
            found.append(name)
    if path.startswith(".gitlab"):
        found += [one for one in _images(read_yaml(text)) if not re.search(r":v?\d+\.\d+", one)]
    return [f"{path}: {one} is of no version" for one in found]


def _images(node: Any) -> Iterator[str]:
    """Yield the images that jobs of GitLab run in, or beside."""
    for key, value in node.items() if isinstance(node, dict) else ():
        if key == "image":
            yield value["name"] if isinstance(value, dict) else value
        elif key == "services":
            yield from value
        else:
            yield from _images(value)


def unknown_parts(forest: Forest) -> Found:
    """Find jobs, steps, inputs, images and variables that pipelines name and that are not there."""
    found = per_class(_gitlab_parts, lambda path: path.startswith(".gitlab"))(forest)
    for path, texts in forest.under(".yaml", folder=".github/workflows/").items():
        for text, where in texts.items():
            for problem in _workflow_problems(text):
                found.note(f"{path}: {problem}", where)
            for name in re.findall(r"vars\.(\w+)", text):
                told = forest.search(name, ".md")
                found.note(f"{path}: reads vars.{name}, which no page explains", where & ~told)
            for name, given, there in _foreign_inputs(forest, text):
                problem = f"{path}: {name} gets an input that is not asked for: {given}"
                found.note(problem, where & there)
    for path in forest.under("images.yaml", "images.yml"):
        for line, where in forest.lines[path].items():
            for row in re.findall(r"(?:image|IMAGE): \[([\w, ]+)\]", line):
                for image in row.split(", "):
                    dockerfile = f"dockerfiles/{image}.dockerfile"
                    problem = f"pipelines build {dockerfile}, which is not there"
                    found.note(problem, where & ~forest.has(dockerfile))
    return found


def unexplained_secrets(forest: Forest) -> Found:
    """Find secrets that a workflow reads and that no page tells the reader to set."""
    found = Found()
    for path in forest.under(".yml", ".yaml", folder=".github/"):
        for line, where in forest.lines[path].items():
            for name in re.findall(r"secrets\.(\w+)", line):
                if name != "GITHUB_TOKEN":
                    told = forest.search(name, ".md")
                    problem = f"{path}: reads secrets.{name}, which no page explains"
                    found.note(problem, where & ~told)
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


def _foreign_inputs(forest: Forest, text: str) -> Iterator[tuple[str, str, Where]]:
    """Find what calls of the project's own workflows and actions give that these do not take.

    Yields:
        What is called, the input that it does not take, and where.
    """
    for name, given in _own_calls(text):
        path = name.removeprefix("$/")
        action = f"{path}/action.yaml"
        for callee in (path, action):
            for called, where in forest.texts(callee).items():
                yield from ((name, one, where) for one in given - _taken(called))
        missing = forest.all & ~forest.has(path) & ~forest.has(action)
        yield from ((name, one, missing) for one in given)


@functools.lru_cache(maxsize=2000)
def _own_calls(text: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return each workflow or action of the project that a workflow calls, and what it gives."""
    jobs = read_yaml(text).get("jobs", {}).values()
    called = [call for job in jobs for call in (job, *job.get("steps", []))]
    return tuple(
        (call["uses"], frozenset(call.get("with", {})))
        for call in called
        if call.get("uses", "").startswith("$/")
    )


@functools.lru_cache(maxsize=2000)
def _taken(text: str) -> frozenset[str]:
    """Return the inputs that a workflow or an action takes."""
    called: Any = read_yaml(text)
    asked = (called.get(True) or {}).get("workflow_call") or {}
    return frozenset(called.get("inputs") or asked.get("inputs") or {})


def _gitlab_parts(tree: Tree) -> list[str]:
    if ".gitlab-ci.yml" not in tree.texts:
        return []
    parts = {".gitlab-ci.yml": tree.texts[".gitlab-ci.yml"]}
    return _gitlab_problems(parts | tree.under(".yml", folder=".gitlab/ci/"))


def _gitlab_problems(parts: dict[str, str]) -> list[str]:
    found = []
    pipeline: dict[str, Any] = {}
    for path, text in parts.items():
        content = read_yaml(text)
        found += [f"{path}: {name} is there twice" for name in content.keys() & pipeline.keys()]
        pipeline |= content
    included = [row["local"] for row in pipeline.get("include", [])]
    names = [path for path in parts if path != ".gitlab-ci.yml"]
    found += [f".gitlab-ci.yml: does not include {name}" for name in names if name not in included]
    found += [f".gitlab-ci.yml: includes {name}" for name in included if name not in names]
    for path, text in parts.items():
        found += [
            f"{path}: refers to {name}, which is not there"
            for name in re.findall(r"!reference \[([\w.-]+),", text)
            if name not in pipeline
        ]
    asked = (pipeline.get("spec") or {}).get("inputs", {})
    given = {
        name for text in parts.values() for name in re.findall(r"\$\[\[ inputs\.(\w+) \]\]", text)
    }
    found += [
        f".gitlab-ci.yml: reads the input {name}, which is not asked for"
        for name in sorted(given - asked.keys())
    ]
    found += [
        f".gitlab-ci.yml: asks for the input {name}, which nothing reads"
        for name in sorted(asked.keys() - given)
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
    return found
