"""Checks of the README's picture of the project."""

import re

from forest import Forest, Found


def _layout(picture: str) -> set[str]:
    """Read a picture of a project: the paths of its folders and modules.

    A line is a folder, which ends in a slash, or a file; what is indented lies in the folder
    above. A folder's note may name its modules: `networks/  yours: cnn.py, mlp.py`. Lines that
    start where the notes stand continue the note above.
    """
    notes = re.search(r"^( *\S+ {2,})", picture, re.MULTILINE)
    found = set()
    folders = [(-1, "")]
    for line in picture.splitlines():
        indent = len(line) - len(line.lstrip())
        note = line
        if not notes or indent < len(notes.group()):
            while folders[-1][0] >= indent:
                folders.pop()
            name, _, note = line.strip().partition(" ")
            folders.append((indent, f"{folders[-1][1]}{name}"))
            found.add(folders[-1][1])
        if folders[-1][1].endswith("/"):
            found |= {f"{folders[-1][1]}{module}" for module in re.findall(r"[\w-]+\.py\b", note)}
    return found


def _pictures(forest: Forest) -> Found:
    """Return the pictures under `## Layout`: far fewer than there are texts around them."""
    found = Found()
    for readme, where in forest.texts("README.md").items():
        section = readme.partition("\n## Layout\n")[2]
        found.note(section.partition("```\n")[2].partition("```")[0], where)
    return found


def unlisted_parts(forest: Forest) -> Found:
    """Find folders and modules that the README's picture leaves out, or has somewhere else."""
    package = f"src/{forest.slug}/"
    listed = Found()
    for picture, where in _pictures(forest).items():
        for path in _layout(picture):
            listed.note(path, where)
    parts = Found()
    for path, where in forest.present.items():
        top, _, inside = path.partition("/")
        if inside and top != "src" and not top.startswith("."):
            parts.note(f"{top}/", where)
        is_module = path.endswith(".py") and (path.startswith(package) or not inside)
        if is_module and not path.rpartition("/")[2].startswith("__"):
            parts.note(path, where)
    found = Found()
    for path, where in parts.items():
        missing = where & ~listed.get(path, 0)
        problem = f"its layout leaves out {path.removeprefix(package)}; add it to the picture"
        found.note(f"README.md: {problem} under `## Layout`", missing)
    for path, where in listed.items():
        there = forest.folders.get(path[:-1], 0) if path.endswith("/") else forest.has(path)
        found.note(f"README.md: its layout has {path}, which is not there", where & ~there)
    return found
