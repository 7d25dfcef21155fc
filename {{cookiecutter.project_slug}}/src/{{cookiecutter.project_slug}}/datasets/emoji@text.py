"""The example: the names of emoji in 14 languages, which need no download."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .. import UserError
from .base import DataModule, save_split
from .inputs import InputSpec, clean
from .splits import SPLITS, stratified_split
from .tokens import check_tokenizer, make_spec

SKIN_TONES = range(0x1F3FB, 0x1F400)


class EmojiDataModule(DataModule):
    """The names of emoji in 14 languages: which language is a name in?

    All names of an emoji are in the same split, so that no test name has a translation in training,
    which would be spelt alike in many languages. Names that two emoji or two languages share are
    left out: they have no single right answer.

    Source: https://cldr.unicode.org (as the package `emoji` ships it).

    Args:
        folder: Where the prepared arrays lie.
        languages: Codes of two letters, such as `de`; None for all.
        length: Most characters, or tokens, of a name that are used.
        tokenizer: None for characters, or tokens, as `make_spec` takes them.
        vocabulary: Number of tokens.
        val_fraction: Share of the emoji for validation, 0 to 1.
        test_fraction: Share of the emoji for testing, 0 to 1.
        split_seed: Seed of the split.
        **batches: `batch_size`, `num_workers` and `memory_limit_mb` of `DataModule`.

    Raises:
        UserError: An option can't work.
    """

    def __init__(
        self,
        folder: str = "data/processed/emoji",
        languages: Sequence[str] | None = None,
        length: int = 80,
        tokenizer: str | None = None,
        vocabulary: int = 2500,
        val_fraction: float = 0.1,
        test_fraction: float = 0.1,
        split_seed: int = 0,
        **batches: int,
    ) -> None:
        check_tokenizer(tokenizer, vocabulary)
        recipe = {
            "languages": None if languages is None else list(languages),
            "length": InputSpec(length).length,
            "tokenizer": tokenizer,
            "vocabulary": vocabulary,
            "val": val_fraction,
            "test": test_fraction,
            "seed": split_seed,
        }
        super().__init__(folder, recipe, **batches)

    def write_arrays(self, folder: Path) -> tuple[list[str], InputSpec]:
        """Write the splits, and a test name in each language to try `predict --file` on.

        The name of a sample is the emoji's English name and the language, as in
        `emoji/cat face/de`.

        Raises:
            UserError: A language is unknown, the fractions leave nothing to train on, or a package
                is missing.
        """
        languages, names = read_names(self.recipe["languages"])
        english = [name for (name,) in read_names(["en"])[1]]
        counts = Counter(name for row in names for name in row)
        fractions = self.recipe["val"], self.recipe["test"]
        one_class = np.zeros(len(names), np.int64)  # all emoji are alike
        rows = stratified_split(one_class, *fractions, self.recipe["seed"])
        samples = {
            split: [
                (name, label, f"emoji/{english[row]}/{languages[label]}")
                for row in rows[split]
                for label, name in enumerate(names[row])
                if counts[name] == 1
            ]
            for split in SPLITS
        }
        settings = self.recipe["length"], self.recipe["tokenizer"], self.recipe["vocabulary"]
        spec = make_spec(*settings, [text for text, _, _ in samples["train"]])
        for split in SPLITS:
            texts, labels, sources = zip(*samples[split], strict=True)
            save_split(folder, split, spec.encode(texts), np.array(labels, np.int64), sources)

        (folder / "samples").mkdir()
        for number, language in enumerate(languages):
            longest = max((text for text, label, _ in samples["test"] if label == number), key=len)
            path = folder / "samples" / f"{language}.txt"
            path.write_text(f"{longest}\n", encoding="utf-8")
        return languages, spec


def read_names(chosen: Sequence[str] | None = None) -> tuple[list[str], list[list[str]]]:
    """Read the names of all emoji, without the variants that differ in skin tone only.

    Args:
        chosen: Languages as codes of two letters; None for all.

    Returns:
        The languages, sorted, and for each emoji its name in each.

    Raises:
        UserError: A language is unknown, or the package `emoji` is missing.
    """
    try:
        import emoji
    except ImportError as error:
        raise UserError("data=emoji needs the package emoji: install it") from error
    emoji.config.load_language()  # all of them
    known = sorted(emoji.LANGUAGES)
    languages = known if chosen is None else sorted({str(language) for language in chosen})
    if not languages or set(languages) - set(known):
        raise UserError(f"data.languages={chosen}: name some of {', '.join(known)}")
    names = [
        [clean(data[language].strip(":").replace("_", " ")) for language in languages]
        for sign, data in sorted(emoji.EMOJI_DATA.items())
        if data["status"] == emoji.STATUS["fully_qualified"]
        and not any(ord(part) in SKIN_TONES for part in sign)
    ]
    return languages, names
