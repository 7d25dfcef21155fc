"""Texts with labels that the package datasets reads: from the Hugging Face Hub, or a folder."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tqdm import tqdm

from .. import UserError
from ..hub import explaining, find_source
from .folders import some
from .inputs import clean
from .splits import SPLITS, named_splits
from .text_files import Sample, Unusable, clean_label
from .texts import TextsDataModule


class HuggingFaceDataModule(TextsDataModule):
    """Texts with labels that the package `datasets` reads; no code that comes with them runs.

    A split that is missing is cut from train. Equal texts are always in the same split: where the
    data set says otherwise, they are left out of training.

    Args:
        source: A name on the Hugging Face Hub, such as `owner/name`, or a folder with files that
            `datasets` reads: CSV, JSON lines, Parquet, or what `save_to_disk` wrote.
        folder: Where the prepared arrays lie.
        subset: The part of the data set, where it has several.
        revision: The branch, tag or commit of the hub's data set; None for `main`.
        train_split: Which of its splits is for training; None finds it by its name.
        val_split: The same for validation.
        test_split: The same for testing.
        **options: `text`, `label`, `length`, `tokenizer`, `vocabulary`, the options of the split
            and those of batches, as for `TextsDataModule`.

    Raises:
        UserError: An option can't work.
    """

    suffixes: ClassVar[frozenset[str]] = frozenset(
        {".arrow", ".csv", ".gz", ".json", ".jsonl", ".parquet", ".tsv", ".txt", ".yaml", ".zip"}
    )

    def __init__(
        self,
        source: str,
        folder: str = "data/processed/hugging_face",
        subset: str | None = None,
        revision: str | None = None,
        train_split: str | None = None,
        val_split: str | None = None,
        test_split: str | None = None,
        **options: Any,
    ) -> None:
        if not source:
            raise UserError("data.source is empty: name a data set, as owner/name, or a folder")
        super().__init__(source, folder, **options)
        self.wanted = {"train": train_split, "val": val_split, "test": test_split}
        named = [name for name in self.wanted.values() if name]
        if len(set(named)) < len(named):
            raise UserError(f"data.*_split names {some(named)}: a split can be one thing only")
        self.recipe |= {"subset": subset, "revision": revision, "splits": self.wanted}

    def describe_source(self) -> str | None:
        """Describe the files of a folder, as `TextsDataModule` does; nothing of the hub."""
        return super().describe_source() if self.source.is_dir() else None

    def find_texts(self) -> Iterator[tuple[str, Sample | Unusable]]:
        """Read the splits, and find the text and the label of each row."""
        name = self.recipe["source"]
        with explaining(f"data.source={name}", "datasets"):
            from datasets import load_dataset, load_from_disk

            path, revision = find_source(name, "data.source", self.recipe["revision"])
            if Path(path, "dataset_dict.json").is_file():
                found = load_from_disk(path)
            else:  # a folder is read as it is, without a copy of it in the cache
                options = {"revision": revision, "streaming": Path(path).is_dir()}
                found = load_dataset(path, self.recipe["subset"], **options)
            for split, original in self.choose_splits(list(found)).items():
                rows = found[original]
                classes = getattr((rows.features or {}).get(self.columns.label), "names", None)
                for number, row in enumerate(tqdm(rows, f"reading {original}", disable=None)):
                    yield split, self.read_row(row, classes, f"{original}/{number}")

    def choose_splits(self, names: Sequence[str]) -> dict[str, str]:
        """Choose a split of the data set for each of ours that it has.

        Raises:
            UserError: It has none of this name, or two that may be meant, or none for training.
        """
        rest = named_splits(name for name in names if name not in self.wanted.values())
        chosen = {}
        for split in SPLITS:
            wanted = self.wanted[split]
            found = [wanted] if wanted else rest.get(split, [])
            if len(found) > 1 or (not found and split == "train") or not {*found} <= {*names}:
                what = f"no split {wanted}" if wanted else "no single split"
                raise UserError(
                    f"data.source={self.recipe['source']} has {what} for {split}, but "
                    f"{some(names)}: name one with data.{split}_split"
                )
            if found:
                chosen[split] = found[0]
        return chosen

    def read_row(
        self, row: Mapping[str, Any], classes: Sequence[str] | None, place: str
    ) -> Sample | Unusable:
        """Find the text and the label of a row.

        Args:
            row: Its values, by column.
            classes: The names of the classes, where the label is the number of one.
            place: Where it stands.

        Raises:
            UserError: There is no such column.
        """
        missing = [name for name in self.columns if name not in row]
        if missing:
            raise UserError(
                f"data.source={self.recipe['source']} has no column {' and no '.join(missing)}, "
                f"but {some(list(row))}: name yours with data.text and data.label"
            )
        text, label = (row[name] for name in self.columns)
        if not isinstance(text, str):
            return Unusable(place, f"{self.columns.text} is no text")
        if classes and label in range(len(classes)):
            label = classes[label]
        elif classes or isinstance(label, dict | list | None):
            return Unusable(place, f"{self.columns.label} is {label!r}, which is no class")
        try:
            return Sample(clean(text), clean_label(str(label), self.columns), place)
        except UserError as error:
            return Unusable(place, str(error))
