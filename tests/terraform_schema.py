"""The arguments and attributes of the resource types that the template uses.

`terraform validate` is the judge, but it needs each provider (hundreds of MB, from a registry that
many machines do not reach). The packages of PACKAGES on npm were generated from the same
schemas: what the template uses of them is kept in terraform_schema.json, so that every machine
finds a misspelt argument. After a new resource type, or to move to another version (below), run

    python tests/terraform_schema.py

which downloads the packages (100 MB, by `npm pack`) and writes the file anew.
"""

import functools
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_suffix(".json")
PACKAGES = {
    "aws": "@cdktn/provider-aws@25.7.0",
    "azurerm": "@cdktn/provider-azurerm@16.1.0",
    "google": "@cdktf/provider-google@16.12.1",
}
# What the provider has since the version that its package was generated from
NEWER = {
    "azurerm_machine_learning_workspace": {"optional": ["storage_account_access_type"]},  # 5.0
}
# A type's node: names of arguments ("required", "optional") and of what is only read ("computed");
# of these, the blocks ("blocks") and the values that have parts ("objects") map to nodes again
Node = dict[str, Any]

INTERFACE = re.compile(
    r"^export interface (\w+)(?: extends [^{]+)? \{\n(.*?)^\}", re.MULTILINE | re.DOTALL
)
CLASS = re.compile(r"^class (\w+) extends cdkt[fn]\.(\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)


@functools.cache
def schema() -> dict[str, Any]:
    """Read the schemas: `providers` maps to versions; `resource` and `data` map types to nodes."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def write(types: Iterable[tuple[str, str]], file: Path = FILE) -> None:
    """Write the schemas of the given types, each (`resource` or `data`, its name)."""
    wanted: dict[str, dict[str, tuple[str, str]]] = {}
    for kind, name in types:
        provider, _, rest = name.partition("_")
        folder = f"data{provider}{rest}" if kind == "data" else rest
        wanted.setdefault(provider, {})[folder.replace("_", "")] = (kind, name)
    found: dict[str, Any] = {"providers": {}, "data": {}, "resource": {}}
    for provider, folders in sorted(wanted.items()):
        texts = _download(PACKAGES[provider], set(folders))
        found["providers"][provider] = json.loads(texts.pop("")["package.json"])["cdktf"][
            "provider"
        ]["version"]
        for folder, (kind, name) in sorted(folders.items(), key=lambda item: item[1]):
            if folder in texts:
                node = _node_of_type(texts[folder])
                for key, names in NEWER.get(name, {}).items():
                    node[key] = [*node.get(key, []), *names]
                found[kind][name] = node
    lines = [f'  "providers": {json.dumps(found["providers"])}']
    for kind in ("data", "resource"):
        rows = [f'    "{name}": {json.dumps(node)}' for name, node in sorted(found[kind].items())]
        lines.append(f'  "{kind}": {{\n' + ",\n".join(rows) + "\n  }")
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _download(package: str, folders: set[str]) -> dict[str, dict[str, str]]:
    """Return the texts of some folders of a package's lib/, by their names without dashes."""
    texts: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        command = ["npm", "pack", "--silent", "--pack-destination", scratch, package]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(scratch).glob("*.tgz")
        with tarfile.open(archive, "r|gz") as members:
            for member in members:
                _, _, path = member.name.partition("/")
                parts = path.split("/")
                folder = parts[1].replace("-", "") if len(parts) > 2 else ""
                if path == "package.json" or (
                    folder in folders and path.endswith((".d.ts", ".js")) and parts[0] == "lib"
                ):
                    content = members.extractfile(member)
                    if content:
                        texts.setdefault(folder, {})[path] = content.read().decode()
    return texts


def _node_of_type(texts: dict[str, str]) -> Node:
    """Read the interfaces (what is required) and the classes (what is read) of one type."""
    interfaces: dict[str, str] = {}
    classes: dict[str, str] = {}
    main = ""
    for path, text in texts.items():
        if path.endswith(".d.ts"):
            interfaces |= dict(INTERFACE.findall(text))
        else:
            for name, base, body in CLASS.findall(text):
                classes[name] = body
                main = name if base in {"TerraformResource", "TerraformDataSource"} else main

    def node(interface: str, class_: str) -> Node:
        made: Node = {"required": [], "optional": [], "computed": [], "blocks": {}, "objects": {}}
        for text, optional, kind in re.findall(
            r"/\*\*(.*?)\*/\s*readonly \w+(\??): (.*?);", interfaces.get(interface, ""), re.DOTALL
        ):
            (name,) = re.findall(r"\{@link [^ ]+#(\w+) ", text)
            made["optional" if optional else "required"].append(name)
            parts = next((part for part in re.findall(r"\w+", kind) if part in interfaces), "")
            if parts:
                is_block = re.search(rf"^\s*\* {name} block$", text, re.MULTILINE)
                made["blocks" if is_block else "objects"][name] = node(
                    parts, f"{parts}OutputReference"
                )
        body = classes.get(class_, "")
        given = {*made["required"], *made["optional"]}
        read = re.findall(r"this\.get\w*Attribute\('(\w+)'\)", body)
        for parts, name in re.findall(r"= new (?:\w+\.)?(\w+)\(this, \"(\w+)\"", body):
            read.append(name)
            stem = re.sub(r"(OutputReference|List|Map)$", "", parts)
            if name not in given and f"{stem}OutputReference" in classes:
                made["objects"][name] = node(stem, f"{stem}OutputReference")
        made["computed"] = sorted({*read} - given)
        return {key: value for key, value in made.items() if value}

    return node(f"{main}Config", main)


if __name__ == "__main__":
    from test_infra import types_used

    write(types_used())
    sys.stdout.write(f"{FILE}: {FILE.stat().st_size // 1000} kB\n")
