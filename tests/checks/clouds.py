"""Checks of what one project's files say about its cloud: variables, outputs, environments."""

import functools
import re
from collections.abc import Iterable

from checks.tree import Tree

# What both kinds of pipeline know a setting by that Terraform has to give the value of
CI_VARIABLE = re.compile(r"\bvars\.((?:AWS|AZURE|GCP|GOOGLE_CLOUD)_\w+)")
GITLAB_VARIABLE = re.compile(r"\$\{?((?:AWS|AZURE|GCP|GOOGLE_CLOUD)_[A-Z_]+)")
# What trusts every job of a repository, whichever environment it runs in
WHOLE_REPOSITORY = re.compile(r"/attribute\.repository/|\}:\*\"")
# What the providers' own clients read, set by the pipeline itself
SET_BY_PIPELINE = re.compile(r"\bexport ([A-Z_]+)=| ([A-Z_]+)=|^ +([A-Z_]+):", re.MULTILINE)


@functools.lru_cache(maxsize=2000)
def _labels(text: str, kind: str) -> tuple[str, ...]:
    return tuple(re.findall(rf'^{kind} "(\w+)"', text, re.MULTILINE))


def _declared(tree: Tree, kind: str) -> set[str]:
    return {name for text in tree.under(".tf").values() for name in _labels(text, kind)}


@functools.lru_cache(maxsize=2000)
def _named(text: str) -> tuple[tuple[str, str], ...]:
    """Return what commands in a text want from Terraform: (`output` or `variable`, its name)."""
    found = []
    text = text.replace("\\\n", " ")
    for rest in re.findall(r"terraform (?:-chdir=\S+ )?output((?: [\w-]+)*)", text):
        found += [("output", word) for word in rest.split()[-1:] if not word.startswith("-")]
    for line in re.findall(r"terraform (?:-chdir=\S+ )?(?:plan|apply|destroy)[^`\n]*", text):
        found += [("variable", name) for name in re.findall(r"-var[= ][\"']?(\w+)=", line)]
    found += [("variable", name) for name in re.findall(r"(?<!-)-var[= ][\"']?(\w+)=", text)]
    return tuple(found)


def unknown_to_terraform(tree: Tree) -> list[str]:
    """Find outputs and variables of Terraform that a command names and that it does not declare."""
    known = {kind: _declared(tree, kind) for kind in ("output", "variable")}
    return list(
        dict.fromkeys(
            f"{path}: names Terraform's {kind} {name}, which is not declared"
            for path, text in tree.under(".md", ".py", ".yaml", ".yml", ".sh").items()
            for kind, name in _named(text)
            if name not in known[kind]
        )
    )


def _pipelines(tree: Tree) -> Iterable[tuple[str, str]]:
    for path, text in tree.under(".yml", ".yaml").items():
        if path.startswith((".github/", ".gitlab")):
            yield path, text


def unset_variables(tree: Tree) -> list[str]:
    """Find variables that pipelines read and no page explains, or Terraform does not give."""
    pages = "\n".join(tree.under(".md").values())
    given = "\n".join(tree.under("outputs.tf", "github.tf", "gitlab.tf", "ci.tf").values())
    texts = dict(_pipelines(tree))
    found = []
    for path, text in texts.items():
        names = set(CI_VARIABLE.findall(text))
        if path.startswith(".gitlab"):
            everything = "\n".join(texts.values())
            own = {name for row in SET_BY_PIPELINE.findall(everything) for name in row}
            names |= set(GITLAB_VARIABLE.findall(text)) - own
        for name in sorted(names):
            if not re.search(rf"\b{name}\b", pages):
                found.append(f"{path}: reads {name}, which no page explains")
            if not re.search(rf"^ +{name} += ", given, re.MULTILINE):
                found.append(f"{path}: reads {name}, which is in no output of Terraform's")
    return found


def unknown_environments(tree: Tree) -> list[str]:
    """Find environments that a workflow runs in and that no page, or no role, knows."""
    pages = "\n".join(tree.under(".md").values())
    roles = "\n".join(tree.under(".tf").values())
    found = []
    for path, text in tree.under(".yaml", folder=".github/workflows/").items():
        for name in re.findall(r"^    environment: ([\w-]+)$", text, re.MULTILINE):
            if f"`{name}`" not in pages:
                found.append(f"{path}: runs in the environment {name}, which no page explains")
            trusted = WHOLE_REPOSITORY.search(roles) or re.search(rf"\b{name}\b", roles)
            if "id-token" in text and roles and not trusted:
                found.append(f"{path}: runs in the environment {name}, which no role is for")
    return found
