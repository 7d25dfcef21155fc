"""Terraform folders, read without Terraform: what refers to what, and what a provider knows.

A folder is a mapping of file names to texts. Each check returns a list of problems, one line each;
`test_infra.py` plants the fault that each is there to find.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import hcl2
from terraform_schema import Node, schema

Folder = Mapping[str, str]
META = {"count", "depends_on", "for_each", "lifecycle", "provider", "provisioner", "connection"}
# What provider blocks and Terraform itself bring
BUILT_IN = {"terraform_data", "terraform_remote_state"}
REFERENCE = re.compile(
    r"(?<![\w.-])(?:(var|local|module)\.(\w+)|(data\.)?([a-z][a-z0-9]*_\w+)\.([A-Za-z_]\w*))"
)
STEP = re.compile(r"\.(?:([a-z_]\w*)|\d+|\*)|\[[^\[\]]*\]")


@functools.lru_cache(maxsize=500)
def parsed(text: str) -> dict[str, Any]:
    """Parse a file: block types map to lists of blocks, of which each label is one more level."""
    return hcl2.loads(text)


@functools.lru_cache(maxsize=500)
def code(text: str) -> str:
    """Return a file without comments, and with its strings cut down to what they interpolate."""
    return _code(text, 0, nested=False)[0]


def _code(text: str, at: int, *, nested: bool) -> tuple[str, int]:
    out, depth = [], 0
    while at < len(text):
        if comment := re.compile(r"(#|//)[^\n]*|/\*.*?\*/", re.DOTALL).match(text, at):
            at = comment.end()
        elif text[at] == '"':
            parts, at = _string(text, at + 1, re.compile('"'))
            out.append(f'"" {parts}')
        elif heredoc := re.compile(r"<<-?(\w+)\n").match(text, at):
            end = re.compile(rf"^\s*{heredoc[1]}$", re.MULTILINE)
            parts, at = _string(text, heredoc.end(), end)
            out.append(f'"" {parts}')
        elif nested and text[at] == "}" and not depth:
            return "".join(out), at + 1
        else:
            depth += (text[at] == "{") - (text[at] == "}")
            out.append(text[at])
            at += 1
    return "".join(out), at


def _string(text: str, at: int, end: re.Pattern[str]) -> tuple[str, int]:
    """Return the code inside a string that starts at a place, and where the string ends."""
    out: list[str] = []
    while at < len(text):
        if stop := end.match(text, at):
            return " ".join(out), stop.end()
        if text.startswith(("$${", "%%{", "\\"), at):
            at += 2 if text[at] == "\\" else 3
        elif text.startswith(("${", "%{"), at):
            inside, at = _code(text, at + 2, nested=True)
            out.append(f" {inside} ")
        else:
            at += 1
    return " ".join(out), at


def blocks(folder: Folder, kind: str) -> Iterator[tuple[str, tuple[str, ...], dict[str, Any]]]:
    """Yield every block of a kind: its file, its labels and its body."""
    for file, text in folder.items():
        for found in parsed(text).get(kind, []):
            labels: list[str] = []
            while not found.get("__is_block__"):
                ((label, found),) = found.items()
                labels.append(label.strip('"'))
            yield file, tuple(labels), found


def _named(folder: Folder) -> dict[str, set[Any]]:
    """Return what a folder declares: names of variables, locals and modules, (type, name) pairs."""
    return {
        "var": {labels[0] for _, labels, _ in blocks(folder, "variable")},
        "local": {name for _, _, body in blocks(folder, "locals") for name in _keys(body)},
        "module": {labels[0] for _, labels, _ in blocks(folder, "module")},
        "resource": {labels for _, labels, _ in blocks(folder, "resource")},
        "data": {labels for _, labels, _ in blocks(folder, "data")},
    }


def _keys(body: Mapping[str, Any]) -> list[str]:
    return [key for key in body if not key.startswith("__")]


def _references(folder: Folder) -> Iterator[tuple[str, str, Any, tuple[str, ...], bool]]:
    """Yield every reference: file, kind, name or (type, name), the steps after it, if indexed."""
    for file, text in folder.items():
        source = code(text)
        for match in REFERENCE.finditer(source):
            kind, name, is_data, type_, label = match.groups()
            at, steps = match.end(), []
            indexed = source[at : at + 1] == "["
            while step := STEP.match(source, at):
                at = step.end()
                if step[1]:
                    steps.append(step[1])
            if kind:
                yield file, kind, name, tuple(steps), indexed
            else:
                yield file, "data" if is_data else "resource", (type_, label), tuple(steps), indexed


def broken_references(folder: Folder) -> list[str]:
    """Find names of what the folder does not declare, and each/count where there is none."""
    declared = _named(folder)
    found = []
    for file, kind, name, _, _ in _references(folder):
        if name not in declared[kind]:
            # A word with a dot of an object that a `for` names: `account_id.x` is no resource
            words = [name] if isinstance(name, str) else list(name)
            found.append(f"{file}: refers to {'.'.join([kind, *words])}, which is not declared")
    for kind in ("resource", "data", "module"):
        for file, labels, body in blocks(folder, kind):
            code = json.dumps(body)
            found += [
                f"{file}: {'.'.join(labels)} reads {word}., without {argument}"
                for word, argument in (("each", "for_each"), ("count", "count"))
                if re.search(rf"(?<![\w.]){word}\.(key|value|index)\b", code)
                and argument not in body
            ]
    return list(dict.fromkeys(found))


def wrongly_indexed(folder: Folder) -> list[str]:
    """Find references to one of several, without saying which, and the reverse."""
    several = {
        (kind, labels): bool({"count", "for_each"} & body.keys())
        for kind in ("resource", "data")
        for _, labels, body in blocks(folder, kind)
    }
    return [
        f"{file}: {'.'.join(name)} is {'one of several' if many else 'one: it takes no index'}"
        for file, kind, name, steps, indexed in _references(folder)
        if (many := several.get((kind, name))) is not None
        and many != indexed
        and (steps or indexed)
    ]


def unused(folder: Folder) -> list[str]:
    """Find variables, locals and data that nothing reads, and providers that nothing needs."""
    declared = _named(folder)
    used = {(kind, name) for _, kind, name, _, _ in _references(folder)}
    found = [
        f"{kind} {name if isinstance(name, str) else '.'.join(name)}: nothing reads it"
        for kind in ("var", "local", "data")
        for name in sorted(declared[kind])
        if (kind, name) not in used
    ]
    types = {labels[0] for labels in declared["resource"] | declared["data"]} - BUILT_IN
    needed = {name.partition("_")[0] for name in types}
    required = {
        name
        for _, _, body in blocks(folder, "terraform")
        for providers in body.get("required_providers", [])
        for name in _keys(providers)
    }
    configured = {labels[0] for _, labels, _ in blocks(folder, "provider")}
    found += [f"provider {name}: nothing needs it" for name in sorted(required - needed)]
    found += [f"provider {name}: is not required" for name in sorted(needed - required)]
    found += [
        f"provider {name}: is configured, not required" for name in sorted(configured - required)
    ]
    return found


def undescribed(folder: Folder) -> list[str]:
    """Find variables without a type or description, and outputs without a description."""
    wanted = {"variable": ("type", "description"), "output": ("value", "description")}
    return [
        f"{file}: {kind} {labels[0]} has no {argument}"
        for kind, arguments in wanted.items()
        for file, labels, body in blocks(folder, kind)
        for argument in arguments
        if argument not in body
    ]


def unknown_to_provider(folder: Folder) -> list[str]:
    """Find types, arguments, blocks and attributes that the providers' schemas do not have."""
    found = []
    for kind in ("resource", "data"):
        for file, (type_, label), body in blocks(folder, kind):
            if type_ in BUILT_IN:
                continue
            if type_ not in schema()[kind]:
                found.append(f"{file}: {kind} {type_} is in no schema: see terraform_schema.py")
                continue
            found += [
                f"{file}: {type_}.{label}{problem}"
                for problem in _misfits(body, schema()[kind][type_], META)
            ]
    for file, kind, name, steps, _ in _references(folder):
        if isinstance(name, tuple) and name[0] in schema()[kind]:
            node = schema()[kind][name[0]]
            for place, step in enumerate(steps):
                if step not in _names(node):
                    path = ".".join([*name, *steps[: place + 1]])
                    found.append(f"{file}: reads {path}, which {name[0]} does not have")
                    break
                node = {**node.get("blocks", {}), **node.get("objects", {})}.get(step)
                if not node:
                    break
    return list(dict.fromkeys(found))


def _names(node: Node) -> set[str]:
    return {name for key in ("required", "optional", "computed") for name in node.get(key, [])}


def _misfits(body: Mapping[str, Any], node: Node, meta: set[str], path: str = "") -> Iterator[str]:
    given = set()
    for key in _keys(body):
        value = body[key]
        parts = value if isinstance(value, list) else []
        nested = [(key, one) for one in parts if isinstance(one, dict) and one.get("__is_block__")]
        if key == "dynamic":
            nested = [
                (name.strip('"'), content)
                for one in parts
                for name, inside in one.items()
                if name != "__is_block__"
                for content in inside["content"]
            ]
        elif key in meta and not path:
            continue
        elif not nested:
            given.add(key)
            if key in node.get("blocks", {}):
                yield f"{path}.{key}: is a block, takes no ="
            elif key not in {*node.get("required", []), *node.get("optional", [])}:
                yield f"{path}.{key}: is no argument"
        for name, content in nested:
            given.add(name)
            if name in node.get("blocks", {}):
                yield from _misfits(content, node["blocks"][name], META - META, f"{path}.{name}")
            else:
                yield f"{path}.{name}: is no block"
    for name in node.get("required", []):
        if name not in given:
            yield f"{path}.{name}: is missing"
