import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from {{ cookiecutter.project_slug }}.cloud import provider

ROOT = Path(__file__).resolve().parents[2]
BASH = shutil.which("bash")


def test_a_job_is_started_in_the_workspace(settings, shown):
    create = shown("train")[-1]
    assert create[:4] == ["az", "ml", "job", "create"]
    assert f"--subscription={settings['AZURE_SUBSCRIPTION_ID']}" in create
    assert {f"--workspace-name={provider.WORKSPACE}", "--file=infra/azure/job.yaml"} < set(create)


@pytest.mark.parametrize("arguments", [["train"], ["train", "a.b=[8, 16]", "c='it''s'", "d=$HOME"]])
def test_the_job_gets_its_arguments_as_they_were_given(arguments, programs):
    text = (ROOT / "infra/azure/job.yaml").read_text("utf-8")
    job = OmegaConf.create(re.sub(r"\$\{\{outputs\.(\w+)\}\}", r"/outputs/\1", text))
    programs.install("pip", "python", "sed", "{{ cookiecutter.environment }}")
    subprocess.run(
        [BASH, "-c", job.command],
        env=os.environ | dict(job.environment_variables) | {"ARGUMENTS": shlex.join(arguments)},
        check=True,
    )
    words = programs.calls()[-1]
    start = words.index("{{ cookiecutter.project_slug }}", words.index("-m"))
    kept = ["checkpoint=/outputs/model/model.ckpt", "hydra.output_subdir=/outputs/model/hydra"]
    assert words[start + 1 :] == [*arguments, *kept]


def test_terraform_makes_what_the_commands_name():
    main, variables = (
        (ROOT / "infra/azure" / name).read_text("utf-8") for name in ("main.tf", "variables.tf")
    )
    [name] = re.findall(r'^  name += "([\w-]+)"$', main, re.MULTILINE)
    [unique] = re.findall(r'"unique" \{[^}]* default += "(\w+)"$', variables, re.MULTILINE)
    assert (name, unique) == (provider.GROUP, provider.UNIQUE)
    config = (ROOT / ".dvc/config").read_text("utf-8")
    assert f"account_name = dvc{provider.UNIQUE}\n" in config
