"""Training throughput of a baked project: its loop as shipped against a plain one and a usual one.

All loops train the same network on the same data in the same batches, on one thread, in this
process, turn by turn: images, or what `--task` names. A turn's figure is the samples per second of
all its epochs but the first two, so imports and set-up don't count. Seconds are the process's CPU
seconds, what one thread takes on a quiet machine: wall time, which `--wall` takes, changes with
what else runs. Output goes to a pseudo-terminal, where the progress bars draw.
"""

import argparse
import contextlib
import itertools
import logging
import os
import pty
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, TextIO, cast

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import get_method, instantiate
from measure import ratio, show, take_turns, verdict
from omegaconf import DictConfig
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import CSVLogger
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics import Metric
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

TEMPLATE = Path(__file__).resolve().parents[1]
SLUG = "bench_project"
WARM_UP = 2  # epochs
# An epoch of texts takes as long as dozens of the others
EPOCHS = {"image": 30, "text": 5, "tabular": 60}

PLAIN = "plain PyTorch, validates each epoch"
FAST = "plain PyTorch with channels_last"
BARE = "plain PyTorch, never validates"
BAR = "as shipped, progress bar"
LINES = "as shipped, log lines"
USUAL = "Lightning as usually written"


class Clock(Callback):
    """Notes the time at the start of each epoch and at the end of training.

    What it holds is on the class, since Hydra makes the instances.
    """

    times: ClassVar[list[float]] = []
    now: ClassVar[Callable[[], float]] = time.process_time

    def on_train_start(self, *_: Any) -> None:
        """Forget the run before this one."""
        self.times.clear()

    def on_train_epoch_start(self, *_: Any) -> None:
        """Note the time."""
        self.times.append(Clock.now())

    def on_train_end(self, *_: Any) -> None:
        """Note the time."""
        self.times.append(Clock.now())


def shipped(cfg: DictConfig, *, terminal: bool) -> list[float]:
    """Train with the project's own `train`: metrics, CSV log, checkpoints, progress."""
    train = get_method(f"{SLUG}.training.fit.train")
    with on_terminal() if terminal else to_file():
        train(cfg)
    return Clock.times


def usual(cfg: DictConfig) -> list[float]:
    """Train with Lightning as it is usually written: default Trainer, `self.log` every step."""
    data = instantiate(cfg.data)
    loaders = {}
    for split in ("train", "val"):
        inputs, labels = (torch.tensor(array) for array in data.arrays(split))
        dataset = TensorDataset(inputs, labels)
        loaders[split] = DataLoader(dataset, cfg.data.batch_size, shuffle=split == "train")
    model = UsualModule(make_network(cfg, data), len(data.classes), cfg.model.optimizer.lr)
    with on_terminal():
        trainer = Trainer(
            accelerator="cpu",
            max_epochs=cfg.trainer.max_epochs,
            logger=CSVLogger(cfg.run_dir),
            callbacks=[Clock()],
        )
        trainer.fit(model, loaders["train"], loaders["val"])
    return Clock.times


class UsualModule(LightningModule):
    """What the tutorials show: every step updates the metrics and logs them."""

    def __init__(self, network: torch.nn.Module, classes: int, lr: float) -> None:
        super().__init__()
        self.network = network
        self.lr = lr
        self.metrics = torch.nn.ModuleDict()
        for split in ("train", "val"):
            self.metrics[f"{split}_accuracy"] = MulticlassAccuracy(classes, average="micro")
            self.metrics[f"{split}_f1"] = MulticlassF1Score(classes, average="macro")

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        """Log the batch's loss and metrics."""
        return self.step("train", batch)

    def validation_step(self, batch: list[torch.Tensor], _: int) -> None:
        """Log the batch's loss and metrics."""
        self.step("val", batch)

    def step(self, split: str, batch: list[torch.Tensor]) -> torch.Tensor:
        """Log the batch's loss and metrics."""
        inputs, labels = batch
        logits = self.network(inputs)
        loss = cross_entropy(logits, labels)
        self.log(f"{split}_loss", loss, prog_bar=True)
        for name in ("accuracy", "f1"):
            metric = cast("Metric", self.metrics[f"{split}_{name}"])
            metric.update(logits, labels)
            self.log(f"{split}_{name}", metric, prog_bar=True, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam as it comes."""
        return torch.optim.Adam(self.parameters(), lr=self.lr)


def plain(cfg: DictConfig, *, validate: bool, channels_last: bool = False) -> list[float]:
    """Train in a bare PyTorch loop: the project's network, batches, fused Adam and schedule.

    With `channels_last`, its weights lie in memory as the project's do, which few plain loops
    think of. There is no log, no checkpoint, no metric of the training split and no progress.
    Where it validates, that is one pass an epoch which adds up the loss and the right answers.
    """
    data = instantiate(cfg.data)
    network = make_network(cfg, data)
    if channels_last:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(network.parameters(), lr=cfg.model.optimizer.lr, fused=True)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, cfg.trainer.max_epochs)
    train_batches, val_batches = data.train_dataloader(), data.val_dataloader()
    times = []
    for _ in range(cfg.trainer.max_epochs):
        times.append(Clock.now())
        network.train()
        for inputs, labels in train_batches:
            optimizer.zero_grad()
            cross_entropy(network(inputs), labels).backward()
            optimizer.step()
        scheduler.step()
        if validate:
            network.eval()
            loss, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
            with torch.inference_mode():
                for inputs, labels in val_batches:
                    logits = network(inputs)
                    loss += cross_entropy(logits, labels, reduction="sum")
                    right += (logits.argmax(dim=1) == labels).sum()
            float(loss), int(right)
    times.append(Clock.now())
    return times


def make_network(cfg: DictConfig, data: Any) -> torch.nn.Module:
    """Make the project's network."""
    build_network = get_method(f"{SLUG}.networks.building.build_network")
    options = data.input_spec.network_options()
    return build_network(cfg.model.network, options, len(data.classes))


@contextlib.contextmanager
def on_terminal() -> Iterator[None]:
    """Send both outputs to a pseudo-terminal that another process reads."""
    master, slave = pty.openpty()
    quiet = subprocess.DEVNULL  # `cat` complains when the terminal closes
    reader = subprocess.Popen(["cat"], stdin=master, stdout=quiet, stderr=quiet)
    os.close(master)
    with os.fdopen(slave, "w", encoding="utf-8") as terminal, redirect(terminal):
        yield
    reader.wait()


@contextlib.contextmanager
def to_file() -> Iterator[None]:
    """Send both outputs to a file, as a log does."""
    with tempfile.TemporaryFile("w", encoding="utf-8") as file, redirect(file):
        yield


@contextlib.contextmanager
def redirect(file: TextIO) -> Iterator[None]:
    """Send both outputs to `file`."""
    with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        yield


def settings(project: Path, folder: Path, epochs: int) -> DictConfig:
    """Compose the project's training configuration, without early stopping: turns stay equal."""
    with initialize_config_dir(version_base="1.3", config_dir=str(project / "configs")):
        cfg = compose(
            "train",
            [
                f"run_dir={folder}",
                f"checkpoint={folder}/model.ckpt",
                f"trainer.max_epochs={epochs}",
                "~callbacks.early_stopping",
                f"+callbacks.clock._target_={__name__}.Clock",
            ],
        )
    cfg.data.folder = str(project / cfg.data.folder)
    return cfg


def main() -> None:
    """Bake a project, take turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", choices=EPOCHS, default="image")
    parser.add_argument("--epochs", type=int, help="default: one or two minutes' worth")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--wall", action="store_true", help="measure wall time, not CPU time")
    options = parser.parse_args()
    task, epochs = options.task, options.epochs or EPOCHS[options.task]
    if options.wall:
        Clock.now = time.perf_counter
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        answers = {"project_slug": SLUG, "task": task, "tracker": "none"}
        command = ["cookiecutter", str(TEMPLATE), "--no-input", "--output-dir", temporary]
        answered = [f"{name}={value}" for name, value in answers.items()]
        subprocess.run([sys.executable, "-m", *command, *answered], check=True, capture_output=True)
        sys.path.insert(0, str(folder / SLUG / "src"))
        data = instantiate(settings(folder / SLUG, folder, epochs).data)
        data.prepare_data()
        samples = len(data.arrays("train")[1]) * (epochs - WARM_UP)
        runs = itertools.count()

        def case(loop: Callable[[DictConfig], list[float]]) -> Callable[[], float]:
            def speed() -> float:
                cfg = settings(folder / SLUG, folder / f"run-{next(runs)}", epochs)
                torch.use_deterministic_algorithms(mode=False)  # the project's trainer left it on
                times = loop(cfg)
                return samples / (times[-1] - times[WARM_UP])

            return speed

        cases = {
            PLAIN: case(lambda cfg: plain(cfg, validate=True)),
            BARE: case(lambda cfg: plain(cfg, validate=False)),
            BAR: case(lambda cfg: shipped(cfg, terminal=True)),
            LINES: case(lambda cfg: shipped(cfg, terminal=False)),
            USUAL: case(usual),
        }
        if task == "image":
            cases[FAST] = case(lambda cfg: plain(cfg, validate=True, channels_last=True))
        figures = take_turns(cases, options.turns)
    show(figures, "samples/s")
    print()
    # An epoch of a small table is a few steps: what Lightning does once an epoch weighs more
    least = 0.9 if task == "image" else None
    verdict("shipped (bar) / plain PyTorch", ratio(figures, BAR, PLAIN), at_least=least)
    verdict("shipped (log lines) / plain PyTorch", ratio(figures, LINES, PLAIN), at_least=least)
    if FAST in figures:
        for name, label in ((BAR, "bar"), (LINES, "lines")):
            value = ratio(figures, name, FAST)
            verdict(f"shipped ({label}) / plain with channels_last", value, at_least=0.65)
    verdict("shipped (bar) / plain PyTorch that never validates", ratio(figures, BAR, BARE))
    verdict("shipped (bar) / usual Lightning", ratio(figures, BAR, USUAL), at_least=2)
    verdict("shipped (log lines) / usual Lightning", ratio(figures, LINES, USUAL), at_least=2)


if __name__ == "__main__":
    main()
