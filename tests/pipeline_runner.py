"""Run the jobs of a baked pipeline here: its own steps, in order, in a clean clone.

Bash runs the script of a step, in a fresh environment. Other people's actions are emulated if they
only give a clone, an artifact or an installed uv. All other actions, and scripts that need a
registry or a cloud, are left out and listed by name. Every expression in the file is evaluated.
"""

import functools
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

# The first words of commands that are not run here, each with the reason
LEFT_OUT = {
    "docker ": "test_docker.py builds the images",
    "cloud deploy": "there is no cloud here",
    "cloud train": "there is no cloud here",
}


class JobError(Exception):
    """A step of a job ended with something else than 0."""


@dataclass
class Run:
    """The outcome of a job.

    Attributes:
        ran: The steps that were run, by name or first line.
        left_out: The steps that were not run, each with the reason.
        summary: The text of the run's summary page.
        artifacts: The files that were uploaded.
        output: The output of the steps.
    """

    ran: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    summary: str = ""
    artifacts: list[Path] = field(default_factory=list)
    output: str = ""


def clean_clone(project: Path, folder: Path, environment: Mapping[str, str]) -> Path:
    """Put a baked project under git, once, and clone it.

    Returns:
        The clone, whose `origin` is the project.
    """
    if not (project / ".git").exists():
        for command in ("init --quiet --initial-branch main", "add .", "commit --quiet -m Bake"):
            subprocess.run(
                ["git", *command.split()], cwd=project, env=dict(environment), check=True
            )
    subprocess.run(
        ["git", "clone", "--quiet", str(project), str(folder)], env=dict(environment), check=True
    )
    return folder


def run_script(script: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Run lines as both services do: with bash, which stops at the first failure.

    Raises:
        JobError: The exit status was not 0.
    """
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=dict(environment),
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        raise JobError(f"$ {script}\n{done.stdout}")
    return f"$ {script}\n{done.stdout}"


def reason_to_leave_out(script: str) -> str:
    """Return the reason not to run a script, or nothing."""
    for words, reason in LEFT_OUT.items():
        if re.search(rf"(^|[\s;&|]){re.escape(words)}", script, re.MULTILINE):
            return reason
    return ""


# GitHub ----------------------------------------------------------------------------------------

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+(?:\.\d+)?)|(?P<call>\w+)\(|"
    r"(?P<name>[A-Za-z_][\w.*-]*)|(?P<op>&&|\|\||==|!=|<=|>=|<|>|!|[(),\[\]]))"
)
OPERATORS = {"&&": " and ", "||": " or ", "!": " not "}


def evaluate(expression: str, contexts: Mapping[str, Any], functions: Mapping[str, Any]) -> Any:
    """Evaluate the expression between `${{` and `}}`, or after `if:`.

    Raises:
        ValueError: The expression has a part that this does not know.
    """
    parts, position = [], 0
    expression = expression.strip()
    while position < len(expression):
        match = TOKEN.match(expression, position)
        if not match:
            raise ValueError(f"can't read {expression[position:]!r} of {expression!r}")
        position = match.end()
        if text := match["text"]:
            parts.append(repr(text[1:-1].replace("''", "'")))
        elif match["call"]:
            parts.append(f"functions[{match['call']!r}](")
        elif name := match["name"]:
            known = {"true": "True", "false": "False", "null": "None"}
            parts.append(known.get(name, f"look_up({name!r})"))
        else:
            parts.append(OPERATORS.get(match["op"], match["op"]) if match["op"] else match[0])

    def look_up(name: str) -> Any:
        value: Any = contexts
        for part in name.split("."):
            value = value.get(part, "") if isinstance(value, Mapping) else ""
        return value

    names = {"look_up": look_up, "functions": functions}
    return eval("".join(parts), {"__builtins__": {}}, names)  # noqa: S307 - the template's own text


class GitHub:
    """The workflows of a baked project.

    Args:
        project: The baked project, which becomes a repository.
        folder: Where clones and artifacts go.
        environment: Variables of the machine that runs the jobs.
        inputs: The inputs of a workflow that is started by hand.
        variables: The variables of the repository.
        event: The event's name, such as `push`, and other values of the context `github`.
    """

    def __init__(
        self,
        project: Path,
        folder: Path,
        environment: Mapping[str, str],
        inputs: Mapping[str, Any] | None = None,
        variables: Mapping[str, str] | None = None,
        **event: Any,
    ) -> None:
        self.given, self.variables = dict(inputs or {}), dict(variables or {})
        self.project, self.folder = project, folder
        self.environment = dict(environment)
        self.github = {
            "event_name": "push",
            "ref": "refs/heads/main",
            "ref_name": "main",
            "repository": "your-org/my_ml_project",
            "repository_owner": "your-org",
            "sha": "0" * 40,
            "run_id": "1",
            "workflow": "workflow",
            **event,
        }

    def workflow(self, name: str) -> dict[str, Any]:
        """Read a workflow; YAML takes its key `on` for a boolean."""
        text = (self.project / ".github/workflows" / name).read_text("utf-8")
        return yaml.safe_load(text)

    def inputs(self, workflow: Mapping[Any, Any]) -> dict[str, Any]:
        """Return the form's default values, and over them the inputs that were given."""
        form = (workflow[True] or {}).get("workflow_dispatch") or {}
        asked = form.get("inputs", {}) if isinstance(form, dict) else {}
        return {name: one.get("default", "") for name, one in asked.items()} | self.given

    def run(self, name: str, key: str, *, matrix: Mapping[str, Any] | None = None) -> Run:
        """Run one job.

        Args:
            name: The workflow's file.
            key: The job's key in it.
            matrix: Values of the matrix that differ from this machine's own row.

        Raises:
            JobError: One of its steps failed.
        """
        workflow = self.workflow(name)
        job = workflow["jobs"][key]
        row = here(job.get("strategy", {}).get("matrix", {})) | dict(matrix or {})
        number = len(list(self.folder.glob("*")))
        clone = clean_clone(self.project, self.folder / f"{number}-{key}", self.environment)
        files = self.folder / f"{number}-{key}-files"
        files.mkdir()
        variables = dict(self.environment)
        for variable in ("ENV", "OUTPUT", "PATH", "STEP_SUMMARY"):
            (files / variable).touch()
            variables[f"GITHUB_{variable}"] = str(files / variable)
        variables |= {"CI": "true", "GITHUB_WORKSPACE": str(clone), "RUNNER_TEMP": str(files)}
        variables |= {
            f"GITHUB_{name.upper()}": str(self.github[name]) for name in ("repository", "sha")
        }
        contexts = {
            "github": {**self.github, "workspace": str(clone)},
            "matrix": row,
            "inputs": self.inputs(workflow),
            "runner": {"os": "Linux", "arch": "X64", "temp": str(files)},
            "vars": self.variables,
            "secrets": {"GITHUB_TOKEN": ""},
            "steps": {},
            "needs": {},
            "env": {},
        }
        machine = _Machine(clone, files, variables, contexts, Run())
        machine.add(workflow.get("env", {}))
        machine.add(job.get("env", {}))
        machine.steps(job["steps"])
        machine.result.summary = (files / "STEP_SUMMARY").read_text("utf-8")
        return machine.result


def here(matrix: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a matrix that fits this machine: Linux and this Python."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    row = {}
    for name, values in matrix.items():
        if name in {"include", "exclude"}:
            continue
        fitting = [one for one in values if "ubuntu" in str(one) or str(one) == version]
        row[name] = (fitting or values)[0]
    return row


@dataclass
class _Machine:
    folder: Path
    files: Path
    variables: dict[str, str]
    contexts: dict[str, Any]
    result: Run
    failed: bool = False

    def functions(self) -> dict[str, Callable[..., Any]]:
        return {
            "always": lambda: True,
            "cancelled": lambda: False,
            "contains": lambda whole, part: str(part) in whole,
            "failure": lambda: self.failed,
            "format": lambda text, *values: text.format(*values),
            "fromJSON": json.loads,
            "hashFiles": lambda *names: "1" if any(map(self.has, names)) else "",
            "startsWith": lambda text, start: str(text).startswith(start),
            "success": lambda: not self.failed,
            "toJSON": json.dumps,
        }

    def has(self, pattern: str) -> bool:
        return any(self.folder.glob(pattern))

    def fill_in(self, text: Any) -> str:
        """Evaluate the expressions in a text."""

        def value(match: re.Match[str]) -> str:
            found = evaluate(match.group(1), self.contexts, self.functions())
            return str(found).lower() if isinstance(found, bool) else str(found)

        return re.sub(r"\$\{\{(.*?)\}\}", value, str(text))

    def add(self, variables: Mapping[str, Any]) -> None:
        filled = {name: self.fill_in(value) for name, value in variables.items()}
        self.variables |= filled
        self.contexts["env"] |= filled

    def steps(self, steps: list[dict[str, Any]]) -> None:
        for step in steps:
            condition = re.sub(r"^\$\{\{(.*)\}\}$", r"\1", str(step.get("if", "success()")))
            asked = evaluate(condition, self.contexts, self.functions())
            status = re.search(r"(always|failure|success|cancelled)\(\)", condition)
            if not asked or (self.failed and not status):
                continue
            if "uses" in step:
                self.use(step)
                if "id" in step:
                    self.contexts["steps"][step["id"]] = {"outputs": {}, "outcome": "success"}
            else:
                self.run(step)

    def run(self, step: dict[str, Any]) -> None:
        script = self.fill_in(step["run"])
        name = str(step.get("name", script.splitlines()[0]))
        if reason := reason_to_leave_out(script):
            self.result.left_out.append(f"{name} ({reason})")
            return
        own = {name: self.fill_in(value) for name, value in step.get("env", {}).items()}
        folder = self.folder / self.fill_in(step.get("working-directory", "."))
        self.result.output += run_script(script, folder, self.variables | own)
        self.result.ran.append(name)
        self.read_files(step.get("id"))

    def read_files(self, identifier: str | None) -> None:
        """Take over the lines that a step wrote to the files of the service."""
        for kind in ("ENV", "OUTPUT"):
            text = (self.files / kind).read_text("utf-8")
            (self.files / kind).write_text("", encoding="utf-8")
            pairs = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
            if kind == "ENV":
                self.add(pairs)
            elif identifier:
                self.contexts["steps"][identifier] = {"outputs": pairs, "outcome": "success"}
        for line in (self.files / "PATH").read_text("utf-8").split():
            self.variables["PATH"] = f"{line}:{self.variables['PATH']}"
        (self.files / "PATH").write_text("", encoding="utf-8")

    def use(self, step: dict[str, Any]) -> None:
        action = step["uses"].partition("@")[0]
        given = {name: self.fill_in(value) for name, value in step.get("with", {}).items()}
        if action.startswith(("./", "$/")):
            text = (self.folder / action[2:] / "action.yaml").read_text("utf-8")
            definition = yaml.safe_load(text)
            defaults = {
                name: self.fill_in(one.get("default", ""))
                for name, one in definition.get("inputs", {}).items()
            }
            outer, self.contexts["inputs"] = self.contexts["inputs"], defaults | given
            self.steps(definition["runs"]["steps"])
            self.contexts["inputs"] = outer
            return
        emulated = {
            "actions/checkout": self.check_out,
            "actions/upload-artifact": self.upload,
            "actions/upload-pages-artifact": self.upload,
            "astral-sh/setup-uv": lambda _: None,  # uv is on the path
            "conda-incubator/setup-miniconda": lambda _: None,  # so is a Python
        }
        if action not in emulated:
            self.result.left_out.append(f"{action} (an action that runs on the service only)")
            return
        emulated[action](given)
        self.result.ran.append(action)

    def check_out(self, given: Mapping[str, str]) -> None:
        """Check a revision out: here, or as another clone."""
        target = self.folder / given.get("path", ".")
        if target != self.folder:
            origin = ["git", "-C", str(self.folder), "remote", "get-url", "origin"]
            url = subprocess.run(origin, check=True, capture_output=True, text=True).stdout.strip()
            subprocess.run(["git", "clone", "--quiet", url, str(target)], check=True)
        if ref := given.get("ref"):
            command = [
                "git",
                "-C",
                str(target),
                "checkout",
                "--quiet",
                ref.removeprefix("refs/heads/"),
            ]
            subprocess.run(command, check=True)

    def upload(self, given: Mapping[str, str]) -> None:
        """Keep the files that a job uploads.

        Raises:
            JobError: There are none.
        """
        for pattern in given["path"].split():
            found = list(self.folder.glob(pattern.rstrip("/")))
            if not found and self.result.left_out:
                self.result.left_out.append(
                    f"uploading {pattern} (the step that makes it was left out)"
                )
            elif not found and given.get("if-no-files-found", "error") == "error":
                raise JobError(f"nothing to upload at {pattern}")
            self.result.artifacts += found


# GitLab ----------------------------------------------------------------------------------------


class GitLab:
    """The pipeline of a baked project.

    Args:
        project: The baked project, which becomes a repository.
        folder: Where clones go.
        environment: Variables of the machine that runs the jobs.
        inputs: The inputs of a pipeline that is started by hand.
    """

    # At the top level, and no job
    WORDS = ("default", "image", "include", "spec", "stages", "variables", "workflow")

    def __init__(
        self,
        project: Path,
        folder: Path,
        environment: Mapping[str, str],
        inputs: Mapping[str, str] | None = None,
    ) -> None:
        self.project, self.folder = project, folder
        self.environment = dict(environment)
        self.given = dict(inputs or {})

    @functools.cached_property
    def pipeline(self) -> dict[str, Any]:
        """The whole pipeline: the main file and the files that it includes."""

        def read(path: str) -> dict[str, Any]:
            text = (self.project / path).read_text("utf-8")
            found: dict[str, Any] = {}
            header, line, content_text = text.partition("\n---\n")
            if line:
                text = self.fill_in(content_text, yaml.safe_load(header)["spec"]["inputs"])
            content = yaml.load(text, _GitLabLoader)  # noqa: S506 - a SafeLoader with one more tag
            for row in content.pop("include", []):
                found |= read((row if isinstance(row, str) else row["local"]).lstrip("/"))
            return found | content

        return read(".gitlab-ci.yml")

    def fill_in(self, text: str, asked: Mapping[str, Any]) -> str:
        """Put the inputs into a text: those that are given, and the defaults of the others."""
        values = {name: one["default"] for name, one in asked.items()} | self.given
        return re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda name: json.dumps(values[name[1]]), text)

    def jobs(self) -> dict[str, dict[str, Any]]:
        """Return the jobs by name, each merged with the jobs that it extends."""
        return {
            name: self.extended(job)
            for name, job in self.pipeline.items()
            if name not in self.WORDS and not name.startswith(".")
        }

    def extended(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Merge a job with those that it extends."""
        above = job.get("extends", [])
        whole: dict[str, Any] = {}
        for name in [above] if isinstance(above, str) else above:
            whole = merged(whole, self.extended(self.pipeline[name]))
        return merged(whole, job)

    def run(self, name: str, **variables: str) -> Run:
        """Run one job.

        Raises:
            JobError: A line of its script failed, or an artifact is missing.
        """
        job = self.jobs()[name]
        clone = clean_clone(self.project, self.folder / name.replace(":", "-"), self.environment)
        row = here((job.get("parallel", {}).get("matrix") or [{}])[0])
        own = {
            "CI": "true",
            "CI_COMMIT_REF_NAME": "main",
            "CI_COMMIT_SHA": "0" * 40,
            "CI_DEFAULT_BRANCH": "main",
            "CI_PROJECT_DIR": str(clone),
            "CI_REGISTRY_IMAGE": "registry.example.com/your-org/my_ml_project",
        }
        for given in (self.pipeline.get("variables", {}), job.get("variables", {}), row, variables):
            own |= {key: self.value(value, own) for key, value in given.items()}
        result = Run()
        default = self.pipeline.get("default", {})
        lines = [
            *self.lines(job.get("before_script", default.get("before_script", []))),
            *self.lines(job["script"]),
        ]
        reasons = {line: reason for line in lines if (reason := reason_to_leave_out(line))}
        result.left_out += [f"{line} ({reason})" for line, reason in reasons.items()]
        script = [line for line in lines if line not in reasons]
        result.output = run_script("\n".join(script), clone, self.environment | own)
        result.ran += script
        for pattern in self.reported(job.get("artifacts", {})):
            found = list(clone.glob(pattern.rstrip("/")))
            if not found:
                raise JobError(f"{name}: no artifact at {pattern}")
            result.artifacts += found
        return result

    def lines(self, script: Any) -> list[str]:
        """Flatten a script, with the scripts that it refers to."""
        if isinstance(script, _Reference):
            found: Any = self.pipeline
            for part in script:
                found = self.extended(found[part]) if part in self.pipeline else found[part]
            return self.lines(found)
        if isinstance(script, str):
            return [script]
        return [line for one in script for line in self.lines(one)]

    @staticmethod
    def value(value: Any, known: Mapping[str, str]) -> str:
        """Return a variable's text, with the variables in it filled in."""
        text = str(value["value"] if isinstance(value, dict) else value)
        return re.sub(r"\$\{?(\w+)\}?", lambda name: known.get(name[1], name[0]), text)

    @staticmethod
    def reported(artifacts: Mapping[str, Any]) -> list[str]:
        """Return the paths that a job keeps, reports included."""
        found = list(artifacts.get("paths", []))
        for report in artifacts.get("reports", {}).values():
            found += [report["path"]] if isinstance(report, dict) else [report]
        return [path for path in found if "$" not in path]


class _Reference(list):
    """The job and the key that `!reference [job, key]` names."""


class _GitLabLoader(yaml.SafeLoader):
    pass


_GitLabLoader.add_constructor(
    "!reference", lambda loader, node: _Reference(loader.construct_sequence(node))
)


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Merge as GitLab does: maps are merged, anything else is replaced."""
    both = dict(old)
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(both.get(key), dict):
            both[key] = merged(both[key], value)
        else:
            both[key] = value
    return both
