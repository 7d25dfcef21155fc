import shlex
import sys
from dataclasses import asdict
from pathlib import Path

import example
import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.utils import instantiate
from omegaconf import OmegaConf

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.training.fit import train
from {{ cookiecutter.project_slug }}.training.resume import check_resume, resume_command

[(OPTION, VALUE)] = example.OTHER_SHAPE.items()
PATHS = ["run/last.ckpt", "/data/café/it's $HOME/x.ckpt", "a b/#1,2=${seed}/[x]\\.ckpt"]


@pytest.mark.parametrize("path", PATHS)
def test_the_command_gives_the_path_and_the_overrides_when_pasted(path, monkeypatch):
    given = ["data.source='my files'", "resume=older.ckpt", "model.network.hidden=[8,16]"]
    job = OmegaConf.create({"hydra": {"overrides": {"task": given}}})
    monkeypatch.setattr(HydraConfig.instance(), "cfg", job)
    words = shlex.split(resume_command(Path(path)))
    assert words[:2] == [sys.executable, "-m"]
    assert words[3:-1] == ["train", given[0], given[2]]
    [override] = OverridesParser.create().parse_overrides(words[-1:])
    assert override.key_or_group == "resume"
    read = OmegaConf.create({"resume": override.value(), "seed": 0}).resume
    assert read == str(Path(path))


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("model={{ cookiecutter.__other_network }}", "another network"),
        (f"model.network.{OPTION}={VALUE}".replace(" ", ""), "another network"),
        ("optimizer=sgd", "optimizer.name Adam, not SGD"),
        ("scheduler=none", "scheduler.name CosineAnnealingLR, not None"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused(configure, trained, override, named):
    last = f"resume={trained / 'run/checkpoints/last.ckpt'}"
    data = f"data.folder={trained / example.FOLDER}"
    with pytest.raises(UserError, match=named) as error:
        train(configure(last, data, override))
    assert len(str(error.value).splitlines()) == 1


def test_a_checkpoint_of_other_classes_is_refused(configure, trained):
    classes = [*example.CLASSES, "another"]
    model = instantiate(configure().model, input_spec=asdict(example.SPEC), classes=classes)
    with pytest.raises(UserError, match="classes"):
        check_resume(str(trained / "run/checkpoints/last.ckpt"), model)
