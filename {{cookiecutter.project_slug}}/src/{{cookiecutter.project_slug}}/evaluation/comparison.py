"""Two models on the same test samples: is the candidate worse than the current model?"""

from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig

from .. import UserError
from ..inference.predictor import Predictor
from .data import open_data
from .metrics import Labels, Predicted, in_batches
from .scoring import Scoring, scoring_of


@dataclass(frozen=True)
class Comparison:
    """The results of two models on the test split.

    Attributes:
        scoring: How predictions are scored.
        current: The metrics of the model in use, by name.
        candidate: The same metrics of the model that may replace it.
        lost: Number of samples that only the current model predicts well.
        gained: Number of samples that only the candidate predicts well.
        max_loss: How much of its quality the candidate may lose.
    """

    scoring: Scoring
    current: dict[str, float]
    candidate: dict[str, float]
    lost: int
    gained: int
    max_loss: float

    @property
    def worse(self) -> bool:
        """Whether the candidate loses more quality than it may."""
        quality = self.scoring.quality
        lost = quality.lost(self.current[quality.name], self.candidate[quality.name])
        return lost > self.max_loss

    def markdown(self) -> str:
        """Write the comparison as a table."""
        verdict = "worse than" if self.worse else "no worse than"
        lines = [
            f"The candidate is {verdict} the current model.",
            "",
            "| metric | current | candidate | change |",
            "|---|---|---|---|",
        ]
        for metric in self.scoring.metrics:
            old, new = self.current[metric.name], self.candidate[metric.name]
            sign = "+" if new >= old else ""
            cells = metric.write(old), metric.write(new), sign + metric.write(new - old)
            lines.append(f"| {metric.name} | {' | '.join(cells)} |")
        lines += ["", *self.scoring.explain(self.lost, self.gained)]
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
    same_inputs = current.input_spec.same_inputs(candidate.input_spec)
    if current.classes != candidate.classes or not same_inputs:
        raise UserError(
            f"{cfg.current} and {cfg.checkpoint} were trained on different classes or inputs"
        )
    scoring = scoring_of(candidate.target)
    data = open_data(cfg, candidate)
    inputs, labels = data.arrays("test")
    current_answer, candidate_answer = (
        in_batches(predictor.predict, inputs, data.batch_size) for predictor in (current, candidate)
    )
    comparison = compare_answers(
        scoring, current_answer, candidate_answer, labels, cfg.max_quality_loss
    )
    text = comparison.markdown()
    reports = Path(cfg.reports)
    reports.mkdir(parents=True, exist_ok=True)
    (reports / "comparison.md").write_text(text, encoding="utf-8")
    print(text.rstrip())
    if comparison.worse:
        raise SystemExit(1)
    return comparison


def compare_answers(
    scoring: Scoring,
    current: Predicted,
    candidate: Predicted,
    labels: Labels,
    max_loss: float,
) -> Comparison:
    """Compare the answers that two models give for the same samples.

    Args:
        scoring: How answers are scored.
        current: What the model in use predicts, a row for each sample.
        candidate: What the model that may replace it predicts, of the same shape.
        labels: What is true, of shape (samples,).
        max_loss: How much of its quality the candidate may lose.
    """
    lost, gained = scoring.lost_and_gained(current, candidate, labels)
    return Comparison(
        scoring=scoring,
        current=scoring.score(current, labels),
        candidate=scoring.score(candidate, labels),
        lost=lost,
        gained=gained,
        max_loss=max_loss,
    )
