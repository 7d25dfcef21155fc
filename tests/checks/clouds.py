"""Checks of what texts say about a project's cloud: variables, outputs, environments."""

import functools
import re
from collections.abc import Iterator

from forest import Forest, Found, Where

# What both kinds of pipeline know a setting by that Terraform has to give the value of
CI_VARIABLE = re.compile(r"\bvars\.((?:AWS|AZURE|GCP|GOOGLE_CLOUD)_\w+)")
GITLAB_VARIABLE = re.compile(r"\$\{?((?:AWS|AZURE|GCP|GOOGLE_CLOUD)_[A-Z_]+)")
# What trusts every job of a repository, whichever environment it runs in
WHOLE_REPOSITORY = r"/attribute\.repository_id/"
# All but the one that GitHub makes for Pages
ENVIRONMENT = re.compile(
    r"^ {4,6}environment:(?:\n      name:)? (?!github-pages)([\w-]+)$", re.MULTILINE
)
# What the providers' own clients read, set by the pipeline itself
SET_BY_PIPELINE = re.compile(r"\bexport ([A-Z_]+)=| ([A-Z_]+)=|^ +([A-Z_]+):")


def unknown_to_terraform(forest: Forest) -> Found:
    """Find outputs and variables of Terraform that a command names and that it does not declare."""
    found = Found()
    declared = {"output": Found(), "variable": Found()}
    for lines in (forest.lines[path] for path in forest.under(".tf")):
        for line, where in lines.items():
            if match := re.match(r'(output|variable) "(\w+)"', line):
                declared[match.group(1)].note(match.group(2), where)
    for path in forest.under(".md", ".py", ".yaml", ".yml", ".sh"):
        # In a page a command ends with its line; elsewhere it may go on in the next one
        pieces = forest.lines[path] if path.endswith(".md") else forest.texts(path)
        for text, where in pieces.items():
            for kind, name in _wanted(text):
                problem = f"{path}: names Terraform's {kind} {name}, which is not declared"
                found.note(problem, where & ~declared[kind].get(name, 0))
    return found


@functools.lru_cache(maxsize=50_000)
def _wanted(text: str) -> tuple[tuple[str, str], ...]:
    """Return what commands in a text want from Terraform: (`output` or `variable`, its name)."""
    found = []
    text = text.replace("\\\n", " ")
    for rest in re.findall(r"terraform (?:-chdir=\S+ )?output((?: [\w-]+)*)", text):
        found += [("output", word) for word in rest.split()[-1:] if not word.startswith("-")]
    for line in re.findall(r"terraform (?:-chdir=\S+ )?(?:plan|apply|destroy)[^`\n]*", text):
        found += [("variable", name) for name in re.findall(r"-var[= ][\"']?(\w+)=", line)]
    found += [("variable", name) for name in re.findall(r"(?<!-)-var[= ][\"']?(\w+)=", text)]
    return tuple(found)


def unset_variables(forest: Forest) -> Found:
    """Find variables that pipelines read and no page explains, or Terraform does not give."""
    found = Found()
    for path, name, where in _read(forest):
        told = forest.search(rf"\b{name}\b", ".md")
        found.note(f"{path}: reads {name}, which no page explains", where & ~told)
        files = ("outputs.tf", "github.tf", "gitlab.tf", "ci.tf")
        given = forest.search(rf"^ +{name} += ", *files)
        found.note(f"{path}: reads {name}, which is in no output of Terraform's", where & ~given)
    return found


def _read(forest: Forest) -> Iterator[tuple[str, str, Where]]:
    """Yield each variable that a pipeline reads and does not set itself: path, name, where."""
    pipelines = {
        path: forest.lines[path]
        for path in forest.under(".yml", ".yaml")
        if path.startswith((".github/", ".gitlab"))
    }
    own = Found()
    for lines in pipelines.values():
        for line, where in lines.items():
            for name in (name for row in SET_BY_PIPELINE.findall(line) for name in row):
                own.note(name, where)
    for path, lines in pipelines.items():
        for line, where in lines.items():
            for name in CI_VARIABLE.findall(line):
                yield path, name, where
            for name in GITLAB_VARIABLE.findall(line) if path.startswith(".gitlab") else ():
                yield path, name, where & ~own.get(name, 0)


def unknown_environments(forest: Forest) -> Found:
    """Find environments that a workflow runs in and that no page, or no role, knows."""
    found = Found()
    has_roles = forest.search("", ".tf")
    trusts_all = forest.search(WHOLE_REPOSITORY, ".tf")
    for path, texts in forest.under(".yaml", folder=".github/workflows/").items():
        for text, where in texts.items():
            for name in ENVIRONMENT.findall(text):
                said = f"{path}: runs in the environment {name}, which"
                told = forest.search(re.escape(f"`{name}`"), ".md")
                found.note(f"{said} no page explains", where & ~told)
                if "id-token" in text:
                    trusted = trusts_all | forest.search(rf"\b{name}\b", ".tf")
                    found.note(f"{said} no role is for", where & has_roles & ~trusted)
    return found
