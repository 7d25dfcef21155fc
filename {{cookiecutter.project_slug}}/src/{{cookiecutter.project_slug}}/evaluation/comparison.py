"""Two models on the same test images: is the candidate worse than the one in use?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from .. import UserError
from ..inference.predictor import Predictor
from .report import compute_metrics, in_batches, open_data


@dataclass(frozen=True)
class Comparison:
    """What two models answered for the test split.

    Attributes:
        current: Loss (nats), accuracy and macro F1 (0 to 1) of the model in use.
        candidate: The same of the one that may replace it.
        gained: Images that only the candidate classifies correctly.
        lost: Images that only the current model classifies correctly.
        tolerance: The accuracy that a candidate may lose, from 0 to 1.
    """

    current: dict[str, float]
    candidate: dict[str, float]
    gained: int
    lost: int
    tolerance: float

    @property
    def worse(self) -> bool:
        """Whether the candidate's accuracy is lower by more than is tolerated."""
        return self.candidate["accuracy"] < self.current["accuracy"] - self.tolerance

    def markdown(self) -> str:
        """Write the comparison as a table."""
        verdict = "worse than" if self.worse else "no worse than"
        lines = [
            f"The candidate is {verdict} the current model.",
            "",
            "| metric | current | candidate | change |",
            "|---|---|---|---|",
        ]
        for name, value in self.current.items():
            new = self.candidate[name]
            lines.append(f"| {name} | {value:.4f} | {new:.4f} | {new - value:+.4f} |")
        lines += [
            "",
            f"Test images that only the candidate gets right: {self.gained},",
            f"that only the current model gets right: {self.lost}.",
        ]
        return "\n".join(lines) + "\n"


def compare(cfg: DictConfig) -> Comparison:
    """Compare `cfg.checkpoint`, the candidate, to `cfg.current` and write `comparison.md`.

    Args:
        cfg: `configs/evaluate.yaml`, composed.

    Raises:
        UserError: A checkpoint is missing, or the two don't fit each other or the data.
    """
    candidate, current = (Predictor(path, cfg.device) for path in (cfg.checkpoint, cfg.current))
    if candidate.classes != current.classes or candidate.image_shape != current.image_shape:
        raise UserError(f"{cfg.checkpoint} and {cfg.current} know other classes or image shapes")
    data = open_data(cfg, candidate.classes, candidate.image_shape)
    images, labels = data.arrays("test")
    answers = [
        in_batches(predictor.probabilities, images, cfg.data.batch_size)
        for predictor in (current, candidate)
    ]
    before, after = (answer.argmax(axis=1) == labels for answer in answers)
    comparison = Comparison(
        current=compute_metrics(answers[0], labels),
        candidate=compute_metrics(answers[1], labels),
        gained=int(np.count_nonzero(after & ~before)),
        lost=int(np.count_nonzero(before & ~after)),
        tolerance=cfg.tolerance,
    )
    reports = Path(cfg.reports)
    reports.mkdir(parents=True, exist_ok=True)
    (reports / "comparison.md").write_text(comparison.markdown(), encoding="utf-8")
    return comparison
