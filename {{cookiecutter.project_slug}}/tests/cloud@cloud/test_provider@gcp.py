"""The commands for Google Cloud, with programs that write down how they were called."""

import os
import re
import shlex
{%- if not cookiecutter.docker %}
import subprocess
{%- endif %}
import sys
from pathlib import Path

import pytest
{%- if cookiecutter.docker %}
from omegaconf import OmegaConf
{%- endif %}

from {{ cookiecutter.project_slug }}.cloud import provider

unix = pytest.mark.skipif(sys.platform == "win32", reason="the programs are shell scripts")

BUCKET = "gs://{{ cookiecutter.__bucket }}"
PLACE = ["--project=ada-lab", "--region=europe-west4"]
{%- if cookiecutter.docker %}
REGISTRY = "europe-west4-docker.pkg.dev/ada-lab/{{ cookiecutter.__cloud_name }}"
PROGRAMS = ("docker", "gcloud")
{%- elif cookiecutter.serving != "none" %}
PROGRAMS = ("dependency-groups", "gcloud", "git")
{%- else %}
PROGRAMS = ("gcloud", "git")
{%- endif %}


@pytest.fixture(autouse=True)
def place(monkeypatch):
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "ada-lab")
    monkeypatch.setenv("GOOGLE_CLOUD_REGION", "europe-west4")
    monkeypatch.setenv("SOURCE_COMMIT", "c0ffee")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put programs on the PATH that append their command line to the file `calls`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")

    def make(name, script="exit 0"):
        program = folder / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> "{tmp_path}/calls"\n{script}\n')
        program.chmod(0o755)

    return make


def calls():
    return Path("calls").read_text("utf-8").splitlines()


def shown(output):
    """Split the command lines that were printed, pipes too, as a shell would."""
    lines = [line.removeprefix("$ ") for line in output.splitlines()]
    return [shlex.split(part) for line in lines for part in line.split(" | ")]
{%- if cookiecutter.docker %}


def specification():
    """Read the job that `cloud train` wrote; its image and its arguments."""
    job = OmegaConf.to_container(OmegaConf.load("outputs/vertex.yaml"))
    [pool] = job["workerPoolSpecs"]
    return job, pool["containerSpec"]["imageUri"], pool["containerSpec"]["args"]


def test_training_pushes_an_image_and_starts_a_job_with_it(cli):
    code, output, _ = cli("cloud", "train", "model=mlp", "data.batch_size=64", "--dry-run")
    assert code == 0
    image = f"{REGISTRY}/train-cpu:c0ffee"
    build, token, login, push, create = shown(output)
    assert build[:2] == ["docker", "build"]
    assert build[-2:] == [f"--tag={image}", "."]
    assert token == list(provider.LOGIN.check)
    assert login[-1] == "europe-west4-docker.pkg.dev"
    assert push == ["docker", "push", image]
    assert create[:4] == ["gcloud", "ai", "custom-jobs", "create"]
    assert {*PLACE, "--config=outputs/vertex.yaml"} < set(create)

    job, named, arguments = specification()
    assert named == image
    assert job["serviceAccount"].endswith("-training@ada-lab.iam.gserviceaccount.com")
    assert arguments[:2] == ["model=mlp", "data.batch_size=64"]
    name = re.search(r"--display-name=(\S+)", output)[1]
    assert arguments[2] == f"checkpoint=/gcs/{BUCKET.removeprefix('gs://')}/runs/{name}/model.ckpt"


def test_a_gpu_needs_its_build_of_pytorch_and_its_trainer(cli):
    output = cli("cloud", "train", "--gpu", "--dry-run")[1]
    assert "--build-arg=TORCH_INDEX=https://download.pytorch.org/whl/cu" in output
    job, image, arguments = specification()
    assert image == f"{REGISTRY}/train-gpu:c0ffee"
    assert job["workerPoolSpecs"][0]["machineSpec"]["acceleratorCount"] == 1
    assert arguments[0] == "trainer=gpu"


@pytest.mark.parametrize("word", ["model.network.channels=[8,16]", "x='a: b'", 'x="#1"', "x=é, {}"])
def test_any_override_reaches_the_job_as_it_was_typed(cli, word):
    assert cli("cloud", "train", "--dry-run", word)[0] == 0
    assert specification()[2][0] == word
{%- else %}


def metadata(create):
    """Read what `gcloud` is told that the machine is told."""
    [value] = [word for word in create if word.startswith("--metadata=")]
    _, mark, pairs = value.removeprefix("--metadata=").split("^", 2)
    return dict(pair.split("=", 1) for pair in pairs.split(mark))


def test_training_uploads_the_commit_and_starts_a_machine(cli, monkeypatch):
    monkeypatch.setenv("SOURCE_COMMIT", "c0ffee-dirty")
    code, output, _ = cli("cloud", "train", "model=mlp", "--dry-run")
    assert code == 0
    archive, upload, create = shown(output)
    assert archive == ["git", "archive", "--format=tar.gz", "HEAD"]
    assert create[:4] == ["gcloud", "compute", "instances", "create"]
    name = create[4]
    assert upload == ["gcloud", "storage", "cp", "-", f"{BUCKET}/source/{name}.tar.gz"]
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,61}[a-z0-9]", name)
    assert {"--project=ada-lab", "--zone=europe-west4-b"} < set(create)
    assert {"--max-run-duration=12h", "--instance-termination-action=DELETE"} < set(create)
    told = {"bucket": BUCKET.removeprefix("gs://"), "commit": "c0ffee", "overrides": "model=mlp"}
    assert metadata(create) == told
    [script] = [word for word in create if word.startswith("--metadata-from-file=startup-script=")]
    assert Path(script.rpartition("=")[2]).is_file()


@pytest.mark.parametrize("word", ["model.network.channels=[8,16]", "x='a b'", "x=a|b", "x=^;^"])
def test_any_override_reaches_the_machine_as_it_was_typed(cli, word):
    output = cli("cloud", "train", "--dry-run", "--gpu", word)[1]
    create = shlex.split(output.splitlines()[-1])
    assert shlex.split(metadata(create)["overrides"]) == ["trainer=gpu", word]


METADATA = """
case "$*" in
  */name) echo a-job ;;
  */zone) echo projects/1/zones/europe-west4-b ;;
  */attributes/bucket) echo a-bucket ;;
  */attributes/overrides) echo "data=image_folder 'data.source=a b'" ;;
  */attributes/commit) echo c0ffee ;;
  *) echo : ;;
esac
"""


@unix
@pytest.mark.parametrize("status", [0, 3])
def test_the_machine_deletes_itself_however_training_ends(install, tmp_path, status):
    install("curl", METADATA)
    install("tar", "cat > /dev/null")
    install("apt-get")
    install("python3", "mkdir -p .uv/bin && echo '#!/bin/sh' > .uv/bin/pip && chmod +x .uv/bin/pip")
    name = "{{ cookiecutter.project_slug }}"
    copy = f'cp "{tmp_path}/bin/{name}" .venv/bin/'
    install("uv", f"mkdir -p .venv/bin models && {copy} && touch models/model.ckpt")
    install(name, f'[ "$3" = "data.source=a b" ] || exit 9; exit {status}')
    install("gcloud")
    install("poweroff")
    script = Path(provider.__file__).parents[3] / "infra/gcp/train-vm.sh"
    done = subprocess.run(["/bin/bash", script], check=False, capture_output=True, text=True)
    assert f"Ended with exit status {123 if status else 0}" in done.stdout  # xargs says 123
    assert f"{name} train data=image_folder data.source=a b" in calls()
    assert calls()[-4:] == [
        "gcloud storage cp training.log gs://a-bucket/runs/a-job/",
        "gcloud storage cp models/model.ckpt gs://a-bucket/runs/a-job/",
        "gcloud compute instances delete a-job --zone=europe-west4-b --quiet",
        "poweroff ",
    ]
{%- endif %}
{%- if cookiecutter.serving != "none" and cookiecutter.docker %}


def test_deploying_builds_pushes_and_updates_the_service(cli):
    code, output, _ = cli("cloud", "deploy", "--dry-run")
    assert code == 0
    image = f"{REGISTRY}/api:c0ffee"
    build, _, _, push, update = shown(output)
    assert f"--tag={image}" in build
    assert push == ["docker", "push", image]
    service = ["gcloud", "run", "services", "update", provider.NAME]
    assert update == [*service, *PLACE, f"--image={image}"]


def test_an_image_that_was_built_before_is_taken_as_it_is(cli):
    output = cli("cloud", "deploy", "--image", "ghcr.io/ada/api@sha256:1", "--dry-run")[1]
    pull, tag = shown(output)[:2]
    assert pull == ["docker", "pull", "ghcr.io/ada/api@sha256:1"]
    assert tag == ["docker", "tag", "ghcr.io/ada/api@sha256:1", f"{REGISTRY}/api:c0ffee"]
    assert "docker build" not in output


def test_the_first_image_changes_no_service(cli):
    commands = shown(cli("cloud", "deploy", "--push-only", "--dry-run")[1])
    assert commands[-1] == ["docker", "push", f"{REGISTRY}/api:latest"]
{%- elif cookiecutter.serving != "none" %}


def test_deploying_lists_what_is_needed_and_uploads_the_source(cli):
    code, output, _ = cli("cloud", "deploy", "--dry-run")
    assert code == 0
    listing, deploy = shown(output)
    assert listing == ["dependency-groups", "--output", "requirements.txt", "serve"]
    assert deploy[:4] == ["gcloud", "functions", "deploy", provider.NAME]
    assert {*PLACE, "--source=.", "--entry-point=handle"} < set(deploy)
    assert "unauthenticated" not in output  # who may call it is Terraform's business
{%- endif %}


@unix
def test_commands_run_in_the_order_in_which_they_are_shown(cli, install):
    for program in PROGRAMS:
        install(program)
{%- if cookiecutter.serving != "none" %}
    code, output, error = cli("cloud", "deploy")
{%- else %}
    code, output, error = cli("cloud", "train")
{%- endif %}
    assert (code, error) == (0, "")
    assert calls() == [" ".join(words) for words in [provider.LOGIN.check, *shown(output)]]


@unix
def test_nothing_runs_after_what_has_failed(cli, install):
    for program in PROGRAMS:
        install(program, "[ $1 = auth ]")
    code, _, error = cli("cloud", "train")
    assert code == 2
    assert error.startswith("Error: ")
    assert len(error.splitlines()) == 1
    assert len(calls()) == 2


@unix
def test_nothing_runs_before_someone_is_logged_in(cli, install):
    for program in PROGRAMS:
        install(program)
    install("gcloud", "exit 1")
    code, output, error = cli("cloud", "train")
    assert (code, output) == (2, "")
    assert error == "Error: you are not logged in: run `gcloud auth login`\n"
    assert calls() == [" ".join(provider.LOGIN.check)]


@unix
def test_a_program_that_is_not_there_is_named(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    code, output, error = cli("cloud", "train")
    assert (code, output) == (2, "")
    assert error == "Error: gcloud is not installed, or not on the PATH\n"


@pytest.mark.parametrize("name", ["GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_REGION"])
def test_a_setting_that_is_missing_is_named(cli, monkeypatch, name):
    monkeypatch.setenv(name, "")
    code, output, error = cli("cloud", "train", "--dry-run")
    assert (code, output) == (2, "")
    assert error.startswith(f"Error: {name} is not set")
    assert len(error.splitlines()) == 1
