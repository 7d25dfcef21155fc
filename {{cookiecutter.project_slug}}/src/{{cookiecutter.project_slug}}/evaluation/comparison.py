"""Two models on the same test samples: is the candidate worse than the current model?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from .. import UserError
from ..inference.predictor import Predictor
from .data import open_data
from .metrics import Labels, Probabilities, compute_metrics, in_batches


@dataclass(frozen=True)
class Comparison:
    """The results of two models on the test split.

    Attributes:
        current: Loss (nats), accuracy and macro F1 (0 to 1) of the model in use.
        candidate: The same metrics of the model that may replace it.
        lost: Number of samples that only the current model classifies correctly.
        gained: Number of samples that only the candidate classifies correctly.
        max_accuracy_loss: The accuracy that the candidate may lose, from 0 to 1.
    """

    current: dict[str, float]
    candidate: dict[str, float]
    lost: int
    gained: int
    max_accuracy_loss: float

    @property
    def worse(self) -> bool:
        """Whether the candidate loses more accuracy than it may."""
        return self.candidate["accuracy"] < self.current["accuracy"] - self.max_accuracy_loss

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
            f"Test samples that only the current model classifies correctly: {self.lost},",
            f"that only the candidate classifies correctly: {self.gained}.",
        ]
        return "\n".join(lines) + "\n"


def compare(cfg: DictConfig) -> Comparison:
    """Compare `cfg.current` to `cfg.checkpoint`, the candidate; write and print the result.

    Args:
        cfg: `configs/evaluate.yaml`, composed.

    Returns:
        The comparison, if the candidate is no worse.

    Raises:
        SystemExit: The candidate is worse (exit code 1), so that a pipeline fails.
        UserError: A checkpoint is missing, or the two don't fit each other or the data.
    """
    current, candidate = (Predictor(path, cfg.device) for path in (cfg.current, cfg.checkpoint))
    if current.classes != candidate.classes or current.input_spec != candidate.input_spec:
        raise UserError(
            f"{cfg.current} and {cfg.checkpoint} were trained on different classes or inputs"
        )
    data = open_data(cfg, candidate)
    inputs, labels = data.arrays("test")
    current_answer, candidate_answer = (
        in_batches(predictor.probabilities, inputs, data.batch_size)
        for predictor in (current, candidate)
    )
    comparison = compare_answers(current_answer, candidate_answer, labels, cfg.max_accuracy_loss)
    text = comparison.markdown()
    reports = Path(cfg.reports)
    reports.mkdir(parents=True, exist_ok=True)
    (reports / "comparison.md").write_text(text, encoding="utf-8")
    print(text.rstrip())
    if comparison.worse:
        raise SystemExit(1)
    return comparison


def compare_answers(
    current: Probabilities, candidate: Probabilities, labels: Labels, max_accuracy_loss: float
) -> Comparison:
    """Compare the probabilities that two models give for the same samples.

    Args:
        current: Probabilities of the model in use, of shape (samples, classes).
        candidate: Probabilities of the model that may replace it, of the same shape.
        labels: True classes, of shape (samples,).
        max_accuracy_loss: The accuracy that the candidate may lose, from 0 to 1.
    """
    current_right, candidate_right = (
        answer.argmax(axis=1) == labels for answer in (current, candidate)
    )
    return Comparison(
        current=compute_metrics(current, labels),
        candidate=compute_metrics(candidate, labels),
        lost=int(np.count_nonzero(current_right & ~candidate_right)),
        gained=int(np.count_nonzero(~current_right & candidate_right)),
        max_accuracy_loss=max_accuracy_loss,
    )
