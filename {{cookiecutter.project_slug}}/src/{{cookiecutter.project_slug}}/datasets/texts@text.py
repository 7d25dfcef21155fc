"""Any texts with labels: a table, JSON lines, or a folder of text files for each class."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from hashlib import file_digest, sha256
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from .. import UserError
from .base import DataModule, save_split
from .folders import entries, find_classes, name_in, some, split_folders, walk
from .inputs import InputSpec, clean
from .splits import SPLITS, named_splits, stratified_split
from .text_files import (
    TABLES,
    Columns,
    Sample,
    Unusable,
    check_encoding,
    read_samples,
    read_text,
)
from .tokens import check_tokenizer, make_spec

Samples = dict[str, list[Sample]]


class TextsDataModule(DataModule):
    """Any texts with labels, from a table, JSON lines, or a folder of text files for each class.

    `source` is one of these:

    - a table (`.csv`, `.tsv`) or a file of JSON lines (`.jsonl`), with a text and a label a row;
    - a folder of such files, called like splits (`train.csv`, `test.csv`, see `SPLIT_NAMES`);
    - a folder with one sub-folder for each class, which holds one `.txt` file for each text;
    - a folder with sub-folders called like splits, each with one sub-folder for each class.

    A split that is missing is cut from train. Equal texts are always in the same split: where the
    files say otherwise, they are left out of training.

    Args:
        source: The file or folder.
        folder: Where the prepared arrays lie.
        text: The column, or the key, with the text.
        label: The column, or the key, with the name of the class.
        encoding: Such as `cp1252`; None takes UTF-8, or UTF-16 where a file starts with its mark.
        length: Most characters, or tokens, of a text that are used.
        tokenizer: None for characters, or tokens, as `make_spec` takes them.
        vocabulary: Number of tokens.
        val_fraction: Share of each class for validation, 0 to 1.
        test_fraction: Share of each class for testing, 0 to 1.
        split_seed: Seed of the split.
        **batches: `batch_size`, `num_workers` and `memory_limit_mb` of `DataModule`.

    Raises:
        UserError: An option can't work.
    """

    # Ends of the names of the files that count as `source`, in small letters
    suffixes: ClassVar[frozenset[str]] = frozenset({".txt", *TABLES})

    def __init__(
        self,
        source: str,
        folder: str = "data/processed/texts",
        text: str = "text",
        label: str = "label",
        encoding: str | None = None,
        length: int = 400,
        tokenizer: str | None = None,
        vocabulary: int = 2500,
        val_fraction: float = 0.1,
        test_fraction: float = 0.2,
        split_seed: int = 0,
        **batches: int,
    ) -> None:
        if not source:
            raise UserError("data.source is empty: name a file or a folder of texts")
        if text == label:
            raise UserError(f"data.text and data.label are both {text}: name two columns")
        check_encoding(encoding)
        check_tokenizer(tokenizer, vocabulary)
        recipe = {
            "source": Path(source).as_posix(),
            "text": text,
            "label": label,
            "encoding": encoding,
            "length": InputSpec(length).length,
            "tokenizer": tokenizer,
            "vocabulary": vocabulary,
            "val": val_fraction,
            "test": test_fraction,
            "seed": split_seed,
        }
        super().__init__(folder, recipe, **batches)
        self.columns = Columns(text, label)
        self.source = Path(source).expanduser()
        if self.folder.resolve().is_relative_to(self.source.resolve()):
            raise UserError(f"data.folder {folder} is inside of data.source: name another folder")

    def describe_source(self) -> str | None:
        """Compute a SHA-256 of the names and contents of all files; None where there are none."""
        lines = []
        for path in walk(self.source) if self.source.is_dir() else [self.source]:
            if path.suffix.lower() in self.suffixes and path.is_file():
                with path.open("rb") as file:
                    lines.append(f"{path.name} {file_digest(file, 'sha256').hexdigest()}\n")
        return sha256("".join(lines).encode(errors="replace")).hexdigest() if lines else None

    def write_arrays(self, folder: Path) -> tuple[list[str], InputSpec]:
        """Read all texts, split them, and keep the places where they were read.

        Raises:
            UserError: `source` holds no texts with labels, or texts that can't be used, or fewer
                than two classes, or a class with too few texts.
        """
        samples = self.read_source()
        classes = sorted({sample.label for sample in samples["train"]})
        if len(classes) < 2:
            raise UserError(f"{self.source} needs two classes at least, but all is {classes[0]}")
        for split in SPLITS[1:]:
            unknown = {sample.label for sample in samples.get(split, [])} - set(classes)
            if unknown:
                raise UserError(f"the classes {some(sorted(unknown))} are in {split} only")
        report_contradictions(samples, self.recipe["length"])
        samples = self.cut_splits(keep_apart(samples, self.recipe["length"]), classes)

        settings = self.recipe["length"], self.recipe["tokenizer"], self.recipe["vocabulary"]
        spec = make_spec(*settings, [sample.text for sample in samples["train"]])
        full = 0
        for split in SPLITS:
            inputs = spec.encode([sample.text for sample in samples[split]])
            full += int(np.count_nonzero(inputs[:, -1]))
            places = [sample.place for sample in samples[split]]
            save_split(folder, split, inputs, numbers_of(samples[split], classes), places)
        if full:
            print(f"{full} texts fill all of data.length={spec.length}: what follows is not used")
        return classes, spec

    def read_source(self) -> Samples:
        """Read the texts of the splits that `source` has; all are train where it has none.

        Raises:
            UserError: As for `write_arrays`.
        """
        samples: Samples = defaultdict(list)
        unusable: list[str] = []
        for split, found in self.find_texts():
            if isinstance(found, Unusable):
                unusable.append(f"{found.place}: {found.reason}")
            else:
                samples[split].append(found)
        total = sum(map(len, samples.values())) + len(unusable)
        if unusable:
            raise UserError(
                f"{len(unusable)} of {total} texts can't be used; repair or remove: "
                f"{some(unusable, '; ')}"
            )
        if not samples["train"]:
            raise UserError(f"{self.source} holds no texts to train on")
        return samples

    def find_texts(self) -> Iterator[tuple[str, Sample | Unusable]]:
        """Find the texts of `source`, each with its split."""
        if not self.source.exists():
            raise UserError(f"data.source {self.source} does not exist")
        if not self.source.is_dir():
            for found in self.read_table(self.source):
                yield "train", found
        elif any(path.suffix.lower() in TABLES for path in entries(self.source)):
            yield from self.find_in_tables()
        else:
            yield from self.find_in_folders()

    def find_in_tables(self) -> Iterator[tuple[str, Sample | Unusable]]:
        """Find the texts of the tables in the folder `source`, which are called like splits."""
        for path in entries(self.source):
            if path.suffix.lower() not in TABLES:
                continue
            split = next(iter(named_splits([path.stem])), "")
            if not split:
                raise UserError(f"{path} is called like no split: name the file as data.source")
            for found in self.read_table(path):
                yield split, found

    def find_in_folders(self) -> Iterator[tuple[str, Sample | Unusable]]:
        """Find the text files in the sub-folders of `source`."""
        skipped: Counter[str] = Counter()
        for split, folder in (split_folders(self.source) or {"train": self.source}).items():
            classes = find_classes(folder, {".txt"}, skipped)
            files = [(path, label) for label in sorted(classes) for path in classes[label]]
            for path, label in tqdm(files, f"reading {split}", disable=None):
                place = name_in(path, self.source)
                try:
                    text = clean(read_text(path, self.recipe["encoding"]))
                    yield split, Sample(text, label, place)
                except UserError as error:
                    yield split, Unusable(place, str(error))
        if skipped:
            counts = (f"{count} {kind}" for kind, count in skipped.most_common())
            print(f"{self.source}: skipped {', '.join(counts)}")

    def read_table(self, path: Path) -> Iterator[Sample | Unusable]:
        """Read a table or JSON lines, with a progress bar."""
        found = read_samples(path, self.columns, self.recipe["encoding"])
        yield from tqdm(found, f"reading {path.name}", disable=None, unit=" texts")

    def cut_splits(self, samples: Samples, classes: list[str]) -> Samples:
        """Cut the splits that are missing from train, each class in the same proportions.

        Raises:
            UserError: A class has too few different texts.
        """
        missing = [split for split in SPLITS[1:] if split not in samples]
        if missing and len(samples) > 1:
            print(f"{self.source} has no {' and no '.join(missing)}: cut from train")
        groups: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples["train"]:
            groups[sample.text[: self.recipe["length"]]].append(sample)
        equal = list(groups.values())
        labels = numbers_of([group[0] for group in equal], classes)
        val, test = (self.recipe[split] if split in missing else None for split in SPLITS[1:])
        parts = stratified_split(labels, val, test, self.recipe["seed"], classes)
        cut = {
            split: [sample for index in parts[split] for sample in equal[index]]
            for split in ["train", *missing]
        }
        return samples | cut


def numbers_of(samples: list[Sample], classes: list[str]) -> NDArray[np.int64]:
    """Number the classes of samples, as int64 labels of shape (samples,)."""
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array([numbers[sample.label] for sample in samples], np.int64)


def keep_apart(samples: Samples, length: int) -> Samples:
    """Leave the texts of test out of val and train, and those of val out of train.

    Args:
        samples: The samples of each split.
        length: Characters of a text that count.
    """
    apart: Samples = {}
    seen: set[str] = set()
    for split in [split for split in reversed(SPLITS) if split in samples]:
        kept = [sample for sample in samples[split] if sample.text[:length] not in seen]
        if left_out := len(samples[split]) - len(kept):
            print(f"{split} leaves out {left_out} texts that are in {' or '.join(apart)} too")
        apart[split] = kept
        seen |= {sample.text[:length] for sample in kept}
    return apart


def report_contradictions(samples: Samples, length: int) -> None:
    """Print how many texts have more than one label, and the first of them.

    Args:
        samples: The samples of each split.
        length: Characters of a text that count.
    """
    first: dict[str, Sample] = {}
    found = []
    for sample in (sample for split in samples.values() for sample in split):
        other = first.setdefault(sample.text[:length], sample)
        if other.label != sample.label:
            found.append(f"{other.place} {other.label}, {sample.place} {sample.label}")
    if found:
        print(f"{len(found)} texts have another label elsewhere: {some(found, '; ')}")
