"""Which files of a folder belong to which split and which class."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from .. import UserError
from .splits import named_splits, split_lookalikes

# What systems leave beside files, with copies of them in it
LEFTOVERS = {"$RECYCLE.BIN", "@eaDir", "__MACOSX", "lost+found"}
MOST_NAMED = 10  # in one message


def split_folders(source: Path) -> dict[str, Path]:
    """Find the sub-folders that are splits; none if the sub-folders are classes.

    Raises:
        UserError: They may be either, or two of them are the same split, or train is missing.
    """
    names = [path.name for path in entries(source) if path.is_dir()]
    splits = named_splits(names)
    for split, same in splits.items():
        if len(same) > 1:
            raise UserError(f"{source} has {' and '.join(same)}, which are all {split}: keep one")
    refuse_splits(source, [name for name in names if not splits])
    named = [name for (name,) in splits.values()]
    others = [name for name in names if name not in named]
    if named and others:
        raise UserError(
            f"{source} has {some(named)}, called like a split, beside {some(others)}: move away "
            "what is no split, or, if all of them are classes, put them into a new folder `train`"
        )
    if named and "train" not in splits:
        raise UserError(f"{source} has {some(named)}, but no folder `train`")
    return {split: source / name for split, (name,) in splits.items()}


def find_classes(
    folder: Path, suffixes: Collection[str], skipped: Counter[str]
) -> dict[str, list[Path]]:
    """List the files of each sub-folder, in the order of their names.

    Args:
        folder: One sub-folder for each class.
        suffixes: Ends of the names of files that are data, in small letters, such as `.txt`.
        skipped: Counts the other files, by their suffix.

    Returns:
        Files by the name of their class, in Unicode's composed form: systems differ in that.

    Raises:
        UserError: A sub-folder holds no such files, or splits, or its name can't be a class, or
            there are fewer than two.
    """
    classes: dict[str, list[Path]] = {}
    for path in entries(folder):
        if not path.is_dir():
            skipped[f"outside of the class folders of {folder.name}"] += 1
            continue
        name = class_name(path)
        if name in classes:
            raise UserError(f"{folder} has two folders {name}, which only look alike: merge them")
        inner = [inside.name for inside in entries(path) if inside.is_dir()]
        refuse_splits(path, inner)
        files = list(walk(path, frozenset([folder.resolve()])))
        classes[name] = [file for file in files if file.suffix.lower() in suffixes]
        others = Counter(suffix_of(file) for file in files if file.suffix.lower() not in suffixes)
        skipped.update(others)
        if not classes[name]:
            but = f", but {some([f'{count} {kind}' for kind, count in others.items()])}"
            known = ", ".join(sorted(suffixes))
            raise UserError(f"{path} holds no files {known}{but if others else ''}")
    if len(classes) < 2:
        raise UserError(
            f"{folder} needs at least two sub-folders, one for each class; it has "
            f"{some(list(classes)) or 'none'}: move files without a class away"
        )
    return classes


def class_name(folder: Path) -> str:
    """Take a class name from its folder.

    Raises:
        UserError: Reports could not show the name: it is blank, or has line breaks or such.
    """
    name = unicodedata.normalize("NFC", folder.name).strip()
    if not name or any(unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} for sign in name):
        raise UserError(f"{str(folder)!a} can't be a class: rename it in plain text")
    return name


def refuse_splits(folder: Path, names: Iterable[str]) -> None:
    """Refuse to take sub-folders for classes that look like splits, such as `training_set`.

    Raises:
        UserError: They look so.
    """
    if alike := split_lookalikes(names):
        raise UserError(
            f"{folder} has {some(alike)}, which look like splits: put folders train, val and test "
            "directly into data.source, with the class folders in them"
        )


def walk(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """List all files below a folder that are not hidden, in the order of their names.

    Links are followed, except to a folder that the link lies in.

    Args:
        folder: Where to start.
        above: The real paths of the folders that this one is in.

    Raises:
        UserError: A folder can't be read.
    """
    real = folder.resolve()
    if any(path.is_relative_to(real) for path in above):
        return
    for path in entries(folder):
        if path.is_dir():
            yield from walk(path, above | {real})
        else:
            yield path


def entries(folder: Path) -> list[Path]:
    """List what is in a folder and not hidden, in the order of the names.

    Raises:
        UserError: The folder can't be read.
    """
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise UserError(f"{folder} can't be read: {error.strerror}") from error
    return [folder / name for name in names if name[0] != "." and name not in LEFTOVERS]


def name_in(path: Path, folder: Path) -> str:
    """Name a file relative to a folder, in the same text on every system."""
    name = unicodedata.normalize("NFC", path.relative_to(folder).as_posix())
    return name.encode("utf-8", "backslashreplace").decode()  # a name may be in no encoding


def suffix_of(path: Path) -> str:
    """Name the kind of a file that is skipped."""
    suffix = path.suffix.lower()
    return suffix if suffix[1:].isalnum() else "other files"


def some(names: Sequence[str], separator: str = ", ") -> str:
    """Join names for a message, the first ones of many."""
    shown = separator.join(names[:MOST_NAMED])
    return f"{shown} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else shown
