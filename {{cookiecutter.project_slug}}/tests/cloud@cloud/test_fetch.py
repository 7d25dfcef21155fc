import shutil
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from {{ cookiecutter.project_slug }}.cloud import provider
from {{ cookiecutter.project_slug }}.hydra_job import CONFIGS

PROGRAM = "{{ cookiecutter.project_slug }}"
TOOL = provider.LOGIN.check[0]
RESULTS = Path("outputs/fetch/job-1{{ "/named-outputs/model" if cookiecutter.cloud == "azure" }}")
SOURCE = "{{ {
  "aws": "s3://" ~ cookiecutter.__bucket ~ "/training/job-1/output/model.tar.gz",
  "azure": "--name=job-1",
  "gcp": "gs://" ~ cookiecutter.__bucket ~ "/runs/job-1",
}.get(cookiecutter.cloud) }}"
MODEL, METRICS = Path("models/model.ckpt"), Path("reports/metrics.json")
# Writes what the project's commands are to write
STEP = """
for word; do
  case $word in
    reports=*) mkdir "${word#*=}" && echo new > "${word#*=}/metrics.json" ;;
{%- if cookiecutter.onnx_export %}
    onnx=*) echo new > "${word#*=}" ;;
{%- endif %}
  esac
done
"""


@pytest.fixture
def job(programs, monkeypatch, tmp_path, trained):
    """Install a provider's command that downloads a model, and return the folder it comes from."""
    monkeypatch.setenv("PATH", f"{programs.folder}:/usr/bin:/bin")
    job = tmp_path / "job"
    (job / "hydra").mkdir(parents=True)
    shutil.copy(trained / MODEL, job)
    write_settings(job / "hydra/config.yaml")
    configs = tmp_path / "configs.yaml"
    write_settings(configs)
    programs.install(TOOL, script=f'mkdir -p {RESULTS} && cp -R "{job}/." {RESULTS}')
    programs.install("git", "tar")
    programs.install("dvc", script='[ "$1" = commit ] || echo "{}"')
    programs.install(PROGRAM, script=f'[ "$1" != train ] || cat "{configs}"{STEP}')
    MODEL.parent.mkdir()
    MODEL.write_text("former", "utf-8")
    return job


def write_settings(path, *overrides):
    """Write the settings that a job is started with, as Hydra does."""
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        OmegaConf.save(compose("train", overrides=list(overrides)), path)


def refused(cli, reason):
    """Say whether a model stays where it is, for a reason that is one line."""
    code, _, error = cli("cloud", "fetch", "job-1")
    assert (code, len(error.splitlines())) == (2, 1)
    assert reason in error
    assert not METRICS.exists()
    return MODEL.read_text("utf-8") == "former"


def test_the_commands_of_a_dry_run_name_the_job(shown):
    commands = shown("fetch", "job-1")
    assert any(SOURCE in words for words in commands)
    assert commands[-1] == ["dvc", "commit", "--force"]
    assert not Path("outputs").exists()


@pytest.mark.parametrize("name", ["../job", "a b", ""])
def test_what_is_no_name_is_refused(cli, name):
    code, output, error = cli("cloud", "fetch", "--dry-run", name)
    assert (code, output, error) == (2, "", f"Error: {name!r} is no name of a job\n")


def test_model_metrics_and_lock_come_home(cli, job, programs):
    code, _, error = cli("cloud", "fetch", "job-1")
    assert (code, error) == (0, "")
    assert MODEL.read_bytes() == (job / MODEL.name).read_bytes()
    assert METRICS.read_text("utf-8") == "new\n"
{%- if cookiecutter.onnx_export %}
    assert MODEL.with_suffix(".onnx").read_text("utf-8") == "new\n"
{%- endif %}
    assert Path("outputs/fetch/job-1/former.ckpt").read_text("utf-8") == "former"
    assert programs.calls()[-1] == ["dvc", "commit", "--force"]


def test_there_may_be_no_model_yet(cli, job):
    MODEL.unlink()
    assert cli("cloud", "fetch", "job-1")[0] == 0
    assert MODEL.is_file()


@pytest.mark.parametrize(
    ("program", "script", "named"),
    [
        ("git", "echo ' M reports/metrics.json'", "reports/metrics.json has changes"),
        ("git", "echo 'fatal: not a git repository' >&2; exit 128", "not a git repository"),
        ("dvc", 'echo \'{"uncommitted": {"modified": ["models/a"]}}\'', "models/a has changes"),
        ("dvc", 'echo \'{"uncommitted": {"added": ["models/b"]}}\'', "models/b has changes"),
    ],
)
def test_changes_are_not_replaced(cli, job, programs, program, script, named):
    programs.install(program, script=script)
    assert refused(cli, named)
    assert not Path("outputs").exists()


def test_a_model_of_other_settings_is_not_locked(cli, job):
    write_settings(job / "hydra/config.yaml", "seed=5")
    assert refused(cli, "trained with seed=5, configs/ has 0")


def test_a_machine_may_be_another(cli, job):
    others = ["trainer=gpu", "data.num_workers=8", "checkpoint=elsewhere.ckpt"]
    write_settings(job / "hydra/config.yaml", *others)
    assert cli("cloud", "fetch", "job-1")[0] == 0


def test_a_model_of_other_code_is_not_locked(cli, job, programs):
    programs.install("git", script='[ "$1" = status ]')
    assert refused(cli, "job-1 was trained by the code of commit ")


@pytest.mark.parametrize(
    ("program", "reason"),
    [(TOOL, "you are not logged in"), (PROGRAM, "failed with exit status 3")],
)
def test_nothing_is_replaced_after_a_failure(cli, job, programs, program, reason):
    programs.install(program, script="exit 3")
    assert refused(cli, reason)
