"""Any folder of pictures with one sub-folder for each class."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from .. import UserError
from .base import DataModule
from .folders import find_classes, name_in, some, split_folders, walk
from .inputs import SUFFIXES, InputSpec, check_shape, read_image
from .splits import SPLITS, stratified_split


class ImageFolderDataModule(DataModule):
    """Any folder of pictures with one sub-folder for each class, resized and stored as arrays.

    Where the sub-folders of `source` are called like splits (`train`, `valid`, `Testing`, see
    `SPLIT_NAMES`), they are the splits, each with one sub-folder for each class. A split that is
    missing there is cut from train; where there are no splits, all of them are made.

    Hidden files and folders are no data; links are followed. Files that are no pictures are
    counted, and pictures that can't be read are named.

    Args:
        source: The folder of pictures.
        folder: Where the prepared arrays lie.
        image_shape: Channels (1: grey, 3: RGB), height and width in pixels to store.
        fit: How pictures of another shape are brought to that, one of `FITS`. The default keeps
            all of a picture, and the proportions of what it shows.
        val_fraction: Share of each class for validation, 0 to 1.
        test_fraction: Share of each class for testing, 0 to 1.
        split_seed: Seed of the split.
        **batches: `batch_size`, `num_workers` and `memory_limit_mb` of `DataModule`.

    Raises:
        UserError: An option can't work.
    """

    def __init__(
        self,
        source: str,
        folder: str = "data/processed/image_folder",
        image_shape: Sequence[int] = (3, 32, 32),
        fit: str = "pad",
        val_fraction: float = 0.1,
        test_fraction: float = 0.2,
        split_seed: int = 0,
        **batches: int,
    ) -> None:
        check_shape(image_shape)
        spec = InputSpec(list(image_shape), fit)
        if not source:
            raise UserError("data.source is empty: name the folder of pictures")
        recipe = {
            "source": Path(source).as_posix(),
            **asdict(spec),
            "val": val_fraction,
            "test": test_fraction,
            "seed": split_seed,
        }
        super().__init__(folder, recipe, **batches)
        self.spec = spec
        self.source = Path(source).expanduser()
        if self.folder.resolve().is_relative_to(self.source.resolve()):
            raise UserError(f"data.folder {folder} is inside of data.source: name another folder")

    def describe_source(self) -> str | None:
        """Compute a SHA-256 of the names and sizes of all pictures; None where there are none."""
        if not self.source.is_dir():
            return None
        lines = [
            f"{name_in(path, self.source)}\0{path.stat().st_size if path.exists() else 'missing'}\n"
            for path in walk(self.source)
            if path.suffix.lower() in SUFFIXES
        ]
        return sha256("".join(sorted(lines)).encode()).hexdigest() if lines else None

    def write_arrays(self, folder: Path) -> tuple[list[str], InputSpec]:
        """Read and resize every picture of `source`, and keep the names of the files.

        Raises:
            UserError: `source` is no folder of classes, sub-folders may be splits or classes, a
                class has too few pictures, the splits have different classes, the fractions leave
                nothing to train on, or files are no pictures.
        """
        classes, files = self.find_files()
        total = sum(len(paths) for paths, _ in files.values())
        broken: list[str] = []
        for split, (paths, labels) in files.items():
            np.save(folder / f"{split}_labels.npy", labels)
            names = [name_in(path, self.source) for path in paths]
            (folder / f"{split}_names.json").write_text(json.dumps(names), encoding="utf-8")
            # Not mapped into memory: there, a full disk would kill the process without a word
            with (folder / f"{split}_inputs.npy").open("wb") as file:
                size = (len(paths), *self.spec.shape)
                header = {"descr": "|u1", "fortran_order": False, "shape": size}
                np.lib.format.write_array_header_1_0(file, header)
                for path in tqdm(paths, f"reading {split}", disable=None):
                    try:
                        file.write(read_image(path, self.spec).tobytes())
                    except UserError as error:
                        broken.append(str(error))
        if broken:
            raise UserError(
                f"{len(broken)} of {total} pictures can't be used; repair, convert or remove: "
                f"{some(broken, '; ')}"
            )
        return classes, self.spec

    def find_files(self) -> tuple[list[str], dict[str, tuple[list[Path], NDArray[np.int64]]]]:
        """Find the pictures of each split, and cut the splits that are missing from train.

        Returns:
            The class names, and for each of `SPLITS` the pictures and their labels.

        Raises:
            UserError: As for `write_arrays`.
        """
        if not self.source.is_dir():
            raise UserError(f"data.source {self.source} is no folder")
        folders = split_folders(self.source) or {"train": self.source}
        skipped: Counter[str] = Counter()
        found = {split: find_classes(path, SUFFIXES, skipped) for split, path in folders.items()}
        if skipped:
            counts = (f"{count} {kind}" for kind, count in skipped.most_common())
            print(f"{self.source}: skipped {', '.join(counts)}")
        classes = sorted(found["train"])
        for split, pictures in found.items():
            if different := set(pictures) ^ set(classes):
                raise UserError(
                    f"{folders[split]} has other classes than {folders['train']}: only one of them "
                    f"has {some(sorted(different))}"
                )
        files = {split: with_labels(pictures) for split, pictures in found.items()}

        missing = [split for split in SPLITS[1:] if split not in files]
        if missing and folders["train"] != self.source:
            print(f"{self.source} has no {' and no '.join(missing)}: cut from {folders['train']}")
        val, test = (self.recipe[split] if split in missing else None for split in SPLITS[1:])
        paths, labels = files["train"]
        parts = stratified_split(labels, val, test, self.recipe["seed"], classes)
        for split in ["train", *missing]:
            files[split] = [paths[i] for i in parts[split]], labels[parts[split]]
        return classes, {split: files[split] for split in SPLITS}


def with_labels(pictures: dict[str, list[Path]]) -> tuple[list[Path], NDArray[np.int64]]:
    """List all pictures, with the number of their class in the order of the names.

    Args:
        pictures: The pictures of each class.

    Returns:
        Paths, and int64 labels of shape (pictures,).
    """
    paths = [path for name in sorted(pictures) for path in pictures[name]]
    counts = [len(pictures[name]) for name in sorted(pictures)]
    return paths, np.repeat(np.arange(len(counts), dtype=np.int64), counts)
