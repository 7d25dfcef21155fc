"""The names that no project may take, because a package that it installs has them already.

`python tests/taken_names.py` adds the missing ones to the list in `hooks/pre_gen_project.py`. It
removes none: an older release, another platform or the CUDA build of PyTorch may still bring it.

All packages that a project leads to count, not only those that it names: with the distribution's
name of any of them nothing can be installed, or the project takes that package's place; with a
module's name one hides the other; with a command's name one overwrites the other.
"""

import re
import sys
import textwrap
import tomllib
from collections.abc import Iterable
from importlib import metadata
from itertools import product
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
HOOK = ROOT / "hooks" / "pre_gen_project.py"
LIST = re.compile(r'(?<=^DEPENDENCIES = """\n).*?(?=^""")', re.DOTALL | re.MULTILINE)

# Where a baked project may be installed
PLATFORMS = [("linux", "Linux", "posix"), ("darwin", "Darwin", "posix"), ("win32", "Windows", "nt")]
PYTHONS = ["3.11", "3.12", "3.13"]
ENVIRONMENTS = [
    {
        "sys_platform": system,
        "platform_system": name,
        "os_name": kind,
        "python_version": python,
        "python_full_version": f"{python}.0",
    }
    for (system, name, kind), python in product(PLATFORMS, PYTHONS)
]


def _applies(requirement: Requirement, extra: str) -> bool:
    """Say whether a requirement holds on any platform, for a distribution with this extra."""
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({**one, "extra": extra}) for one in ENVIRONMENTS)


def _requires(name: str) -> list[str]:
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:  # another platform's
        return []


def _names_of(distribution: str) -> set[str]:
    """Return the slugs that a distribution takes.

    They are its own name and, where it is installed, its modules and commands.
    """
    # A slug `a__b` makes the distribution `a-b`, but the module and the command `a__b`
    found = {canonicalize_name(distribution).replace("-", "_")}
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.parts[0] == "..":
            if file.parent.name in {"bin", "Scripts"}:
                found.add(file.name.removesuffix(".exe"))
        elif file.suffix in {".py", ".pyd", ".so"} and "__mypyc" not in file.name:
            # Windows and macOS take PIL and pil for one folder
            found.add(file.parts[0].partition(".")[0].lower())
    return {name for name in found if re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name)}


def baked_requirements() -> list[Requirement]:
    """Read what any baked project depends on, as pyproject.toml lists it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return [Requirement(line) for line in settings["dependency-groups"]["baked"]]


def direct_names() -> set[str]:
    """Return the names that the packages of baked pyproject.toml files take."""
    return set().union(*(_names_of(requirement.name) for requirement in baked_requirements()))


def all_names() -> set[str]:
    """Return the names that these packages take, and those that they need in turn."""
    todo = baked_requirements()
    seen: set[tuple[str, str]] = set()
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                todo += [one for one in map(Requirement, _requires(name)) if _applies(one, extra)]
    return set().union(*(_names_of(name) for name, _ in seen))


def listed_names() -> set[str]:
    """Read the list in the hook."""
    return set(listed_text().split())


def listed_text() -> str:
    """Return the lines of the list in the hook.

    Raises:
        ValueError: The hook has no such list.
    """
    found = LIST.search(HOOK.read_text("utf-8"))
    if found is None:
        raise ValueError(f"{HOOK.name} holds no list of the form that {LIST.pattern} finds")
    return found[0]


def wrapped(names: Iterable[str]) -> str:
    """Lay names out as the list in the hook has them."""
    return textwrap.fill(" ".join(sorted(names)), width=100, break_long_words=False) + "\n"


if __name__ == "__main__":
    names = listed_names() | all_names() - sys.stdlib_module_names
    source = HOOK.read_text("utf-8")
    HOOK.write_text(source.replace(listed_text(), wrapped(names)), "utf-8")
