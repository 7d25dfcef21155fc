import csv
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import example
import pytest
import torch

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.training.fit import promote, train
from {{ cookiecutter.project_slug }}.training.learner import Learner

PACKAGE = Path(sys.modules[UserError.__module__].__file__).parent
COMMAND = [sys.executable, "-m", PACKAGE.name, "train", *example.OPTIONS, "logger=csv"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}


def load(path: Path | str) -> dict:
    return torch.load(path, weights_only=True)


def logged(run: Path | str, name: str) -> list[float]:
    """Read the values of one metric from a run's CSV log."""
    with Path(run, "csv", "metrics.csv").open(encoding="utf-8", newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file) if row[name]]


def test_the_default_configuration_learns_the_example(trained):
    [accuracy] = logged(trained / "run", "test/accuracy")
    assert accuracy >= example.ACCURACY


def test_the_best_epoch_is_promoted(trained):
    losses = logged(trained / "run", "val/loss")
    promoted = load(trained / "models/model.ckpt")
    assert promoted["epoch"] == losses.index(min(losses))
    assert load(trained / "run/checkpoints/last.ckpt")["epoch"] == len(losses)  # epochs done


def test_the_history_has_a_row_for_each_epoch(trained):
    rows = load(trained / "models/model.ckpt")["history"]
    assert [row["epoch"] for row in rows] == list(range(len(rows)))
    for split in ("train", "val"):
        for metric in ("loss", "accuracy", "f1"):
            column = [row[f"{split}/{metric}"] for row in rows]
            assert column == pytest.approx(logged(trained / "run", f"{split}/{metric}"))


def test_the_same_seed_gives_the_same_weights(configure):
    def weights(run, seed):
        train(configure("trainer.max_epochs=2", f"run_dir={run}", f"seed={seed}"))
        return load(f"{run}/checkpoints/last.ckpt")["state_dict"]

    first, again, other = weights("first", 0), weights("again", 0), weights("other", 1)
    assert all(torch.equal(weight, again[name]) for name, weight in first.items())
    assert logged("first", "test/loss") == logged("again", "test/loss")
    assert any(not torch.equal(weight, other[name]) for name, weight in first.items())


def test_the_threads_are_those_of_the_setting(configure):
    before = torch.get_num_threads()
    try:
        train(configure("trainer.fast_dev_run=true", "threads=2"))
        assert torch.get_num_threads() == 2
        train(configure("trainer.fast_dev_run=true", "threads=null"))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_training_continues_where_it_stopped(configure):
    train(configure("trainer.max_epochs=2", "run_dir=before"))
    last = Path("before/checkpoints/last.ckpt")
    train(configure("trainer.max_epochs=3", "run_dir=after", f"resume={last}"))
    assert logged("after", "epoch")[0] == 2
    steps, more = load(last)["global_step"], load("after/checkpoints/last.ckpt")["global_step"]
    assert more == steps * 3 / 2
    assert logged("after", "train/loss")[0] < logged("before", "train/loss")[-1]
    assert [row["epoch"] for row in load("models/model.ckpt")["history"]] == [0, 1, 2]
    with pytest.raises(UserError, match=r"raise trainer\.max_epochs"):
        train(configure("trainer.max_epochs=2", f"resume={last}", "run_dir=none_left"))


def test_training_continues_from_last_checkpoints_only(configure, trained):
    with pytest.raises(UserError, match=r"name the last\.ckpt"):
        train(configure(f"resume={trained / 'models/model.ckpt'}"))


def test_training_stops_early_without_progress(configure):
    hopeless = "callbacks.early_stopping.patience=1", "model.optimizer.lr=0"
    train(configure(*hopeless))
    assert len(logged("run", "val/loss")) < 10


def test_debugging_overfits_one_batch_and_leaves_the_model_alone(configure):
    cfg = configure("trainer=debug")
    if "dropout" in cfg.model.network:  # it would cost a sample now and then
        cfg.model.network.dropout = 0
    train(cfg)
    assert logged("run", "train/accuracy")[-1] == 1
    assert load("run/checkpoints/last.ckpt")["global_step"] == 50  # epochs of one step
    assert not Path("models").exists()


@pytest.mark.parametrize(
    "overrides",
    [
        ["trainer.precision=bf16-mixed", "trainer.gradient_clip_val=0.1"],
        ["experiment={{ cookiecutter.__other_network }}", "model.scheduler=null"],
        ["data.memory_limit_mb=0", "data.num_workers=1"],
    ],
    ids=["mixed_precision_and_clipping", "experiment_without_scheduler", "streaming"],
)
def test_other_settings_learn(configure, overrides):
    train(configure("trainer.max_epochs=4", *overrides))
    losses = logged("run", "train/loss")
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize(
    ("overrides", "operation"),
    [
        (["profiler=simple"], "run_training_batch"),
        # All rows: on a busy machine the operation is not among the slowest 20. And enough batches:
        # the profiler waits for some before it records
        (["profiler=pytorch", "+profiler.row_limit=-1", "data.batch_size=16"], "aten::linear"),
    ],
    ids=["simple", "pytorch"],
)
def test_profilers_leave_their_table(configure, overrides, operation):
    train(configure("trainer.max_epochs=1", *overrides))
    [table] = Path("run").glob("fit-profile*.txt")
    assert operation in table.read_text("utf-8")


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("resume=nowhere.ckpt", r"nowhere\.ckpt"),
        ("model.optimizer.name=Adamm", "Adamm"),
        ("seed=-1", "seed is -1"),
        ("seed=abc", "seed is 'abc'"),
        ("threads=0", "threads is 0"),
        ("threads=all", "threads is 'all'"),
        ("trainer.max_epochs=abc", "trainer.max_epochs is 'abc'"),
        ("trainer.max_epochs=0", "trainer.max_epochs is 0"),
        ("trainer.devices=9999", "trainer.devices is 9999"),
        ("trainer.devices=abc", "trainer: .*devices"),
        ("trainer.gradient_clip_val=abc", "trainer: .*gradient_clip_val"),
        ("+trainer.limit_train_batches=0", "trainer.limit_train_batches is 0"),
        ("+trainer.limit_val_batches=0", "trainer.limit_val_batches is 0"),
        ("+trainer.limit_test_batches=0", "trainer.limit_test_batches is 0"),
        ("+trainer.max_steps=3", "before its first validation"),
    ],
)
def test_settings_that_can_not_work_are_named(configure, trained, override, named):
    with pytest.raises(UserError, match=named) as error:
        train(configure(f"data.folder={trained / example.FOLDER}", override))
    assert len(str(error.value).splitlines()) == 1
    assert not Path("models").exists()


def test_a_trial_of_one_batch_keeps_nothing(configure):
    train(configure("trainer.fast_dev_run=true"))
    assert not Path("models").exists()
    assert not list(Path().rglob("*.ckpt"))


@pytest.mark.parametrize(
    ("hook", "named"),
    [
        ("on_train_epoch_start", "train/loss|val/loss"),
        ("on_validation_start", "val/loss is (nan|inf) in epoch 0"),
        ("on_test_start", "test/loss is (nan|inf)"),
    ],
)
def test_a_diverged_training_leaves_the_old_model(configure, trained, monkeypatch, hook, named):
    Path("models").mkdir()
    Path("models/model.ckpt").write_bytes(b"the good model")

    def spoil(model: Learner) -> None:
        for weight in model.parameters():
            weight.data.fill_(torch.nan)

    monkeypatch.setattr(Learner, hook, spoil)
    with pytest.raises(UserError, match=named):
        train(configure(f"data.folder={trained / example.FOLDER}", "trainer.max_epochs=1"))
    assert Path("models/model.ckpt").read_bytes() == b"the good model"
    assert [path.name for path in Path("models").iterdir()] == ["model.ckpt"]


def test_damaged_weights_are_not_published(trained):
    saved = load(trained / "run/checkpoints/last.ckpt")
    next(iter(saved["state_dict"].values())).view(-1)[0] = torch.inf
    torch.save(saved, "damaged.ckpt")
    with pytest.raises(UserError, match="not finite"):
        promote(Path("damaged.ckpt"), Path("models/model.ckpt"), {}, [])
    assert not Path("models").exists()


def test_a_copy_that_fails_leaves_the_old_model(trained, monkeypatch):
    Path("models").mkdir()
    Path("models/model.ckpt").write_bytes(b"the good model")

    def full_disk(saved: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    best = trained / "run/checkpoints/last.ckpt"
    with pytest.raises(UserError, match="No space left"):
        promote(best, Path("models/model.ckpt"), {}, [])
    assert Path("models/model.ckpt").read_bytes() == b"the good model"
    assert [path.name for path in Path("models").iterdir()] == ["model.ckpt"]


def test_the_menu_of_settings_trains(configure, trained):
    menu = "optimizer=sgd", "scheduler=one_cycle", "augmentation=light", "loss=balanced"
    start = f"model.init_from={trained / 'models/model.ckpt'}"
    data = f"data.folder={trained / example.FOLDER}"
    cfg = configure(*menu, start, data, "trainer.max_epochs=1")
    train(cfg)
    assert logged("run", "test/accuracy")[0] > 0.9
    saved = load("models/model.ckpt")
    assert saved["hyper_parameters"]["augmentation"] == cfg.model.augmentation
    assert "init_from" not in saved["hyper_parameters"]


def test_a_sweep_promotes_none_of_its_models(cli):
    sweep = "hydra.sweep.dir=sweep", "model={{ cookiecutter.__network }},{{ cookiecutter.__other_network }}", "trainer.max_epochs=1", "logger=csv"
    code, _, error = cli("train", "--multirun", *example.OPTIONS, *sweep)
    assert code == 0, error
    networks = [
        load(f"sweep/{job}/checkpoints/last.ckpt")["hyper_parameters"]["network"]["_target_"]
        for job in (0, 1)
    ]
    assert [name.split(".")[-2] for name in networks] == ["{{ cookiecutter.__network }}", "{{ cookiecutter.__other_network }}"]
    assert not Path("models").exists()


def test_a_job_that_diverges_costs_no_other_job_of_a_sweep(cli):
    rates = "model.optimizer.lr=1e30,0.003"
    sweep = "hydra.sweep.dir=sweep", rates, "trainer.max_epochs=1", "logger=csv"
    code, _, error = cli("train", "--multirun", *example.OPTIONS, *sweep)
    assert code == 2
    assert "model.optimizer.lr=1e+30" in error
    assert "diverged" in error.splitlines()[-1]
    assert "Traceback" not in error
    assert Path("sweep/1/checkpoints/last.ckpt").is_file()


@pytest.mark.slow
def test_two_processes_share_the_work(configure):
    overrides = "trainer.max_epochs=2", "hydra.run.dir=shared"
    subprocess.run([*COMMAND, "trainer=ddp", *overrides], env=ENVIRONMENT, check=True)
    train(configure(*overrides[:1], "run_dir=alone", "checkpoint=null"))
    alone = load("alone/checkpoints/last.ckpt")["global_step"]
    assert load("shared/checkpoints/last.ckpt")["global_step"] == pytest.approx(alone / 2, abs=2)

    from {{ cookiecutter.project_slug }}.evaluation.report import evaluate

    # One process that tests all samples gets the same metrics as two that share them
    metrics = evaluate(configure(config="evaluate"))
    for name in ("loss", "accuracy", "f1"):
        assert logged("shared", f"test/{name}") == [pytest.approx(metrics[name], rel=1e-4)]


def test_a_run_interrupted_in_its_validation_can_be_resumed(configure, monkeypatch):
    def interrupt(model):
        if model.current_epoch == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "on_validation_start", interrupt)
        handler = signal.getsignal(signal.SIGINT)
        with pytest.raises(SystemExit, match="130"):
            train(configure("trainer.max_epochs=3", "run_dir=stopped"))
        signal.signal(signal.SIGINT, handler)  # Lightning had switched it off
    train(configure("trainer.max_epochs=3", "resume=stopped/checkpoints/last.ckpt"))
    assert logged("run", "epoch")[-1] == 3


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send to one process")
def test_an_interrupted_run_can_be_resumed(configure, ctrl_c):
    forever = "trainer.max_epochs=100000", "callbacks.early_stopping.patience=100000"
    command = [*COMMAND, *forever, "hydra.run.dir=stopped"]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        next(line for line in process.stdout if line.startswith("epoch 2/"))
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 130
    last = Path("stopped/checkpoints/last.ckpt")
    assert not Path("models").exists()
    [line] = [line for line in rest.splitlines() if "To continue: " in line]
    epochs = load(last)["epoch"] + 2
    pasted = [*shlex.split(line.partition("To continue: ")[2]), f"trainer.max_epochs={epochs}"]
    subprocess.run([*pasted, "hydra.run.dir=run"], env=ENVIRONMENT, check=True)
    assert load("models/model.ckpt")["history"][-1]["epoch"] == epochs - 1
