import re
import shlex
import subprocess
from pathlib import Path

import pytest

BUCKET = "{{ cookiecutter.__bucket }}"
NAME = "{{ cookiecutter.project_slug }}"
SCRIPT = Path(__file__).resolve().parents[2] / "infra/gcp/train-vm.sh"
COPY = ["gcloud", "storage", "cp"]
DELETE = ["gcloud", "compute", "instances", "delete", "a-job"]
METADATA = """
case "$*" in
  */name) echo a-job ;;
  */zone) echo projects/1/zones/europe-west4-b ;;
  */attributes/bucket) echo a-bucket ;;
  */attributes/overrides) echo "data={{ cookiecutter.__own }} 'data.source=a b'" ;;
  */attributes/commit) echo c0ffee ;;
  *) echo : ;;
esac
"""


def metadata(create):
    """Read the metadata that `gcloud` gives the machine."""
    [value] = [word for word in create if word.startswith("--metadata=")]
    _, mark, pairs = value.removeprefix("--metadata=").split("^", 2)
    return dict(pair.split("=", 1) for pair in pairs.split(mark))


def test_a_machine_trains_the_committed_source(shown, monkeypatch):
    monkeypatch.setenv("SOURCE_COMMIT", "c0ffee-dirty")
    archive, upload, create = shown("train", "model={{ cookiecutter.__other_network }}")
    assert archive == ["git", "archive", "--format=tar.gz", "HEAD"]
    assert create[:4] == ["gcloud", "compute", "instances", "create"]
    machine = create[4]
    assert upload == ["gcloud", "storage", "cp", "-", f"gs://{BUCKET}/source/{machine}.tar.gz"]
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,61}[a-z0-9]", machine)
    assert {"--project=ada-lab", "--zone=europe-west4-b"} < set(create)
    assert {"--max-run-duration=12h", "--instance-termination-action=DELETE"} < set(create)
    assert metadata(create) == {"bucket": BUCKET, "commit": "c0ffee", "overrides": "model={{ cookiecutter.__other_network }}"}
    assert f"--metadata-from-file=startup-script={SCRIPT}" in create
    assert SCRIPT.is_file()


@pytest.mark.parametrize("word", ["model.network.channels=[8,16]", "x='a b'", "x=a|b", "x=^;^"])
def test_any_override_reaches_the_machine_as_it_was_typed(cli, word):
    output = cli("cloud", "train", "--dry-run", "--gpu", word)[1]
    create = shlex.split(output.splitlines()[-1])
    assert shlex.split(metadata(create)["overrides"]) == ["trainer=gpu", word]


@pytest.mark.parametrize("status", [0, 3])
def test_the_machine_deletes_itself_however_training_ends(programs, monkeypatch, status):
    monkeypatch.setenv("PATH", f"{programs.folder}:/usr/bin:/bin")
    programs.install("curl", script=METADATA)
    programs.install("tar", script="cat > /dev/null")
    programs.install("apt-get", "gcloud", "poweroff")
    pip = "mkdir -p .uv/bin && echo '#!/bin/sh' > .uv/bin/pip && chmod +x .uv/bin/pip"
    programs.install("python3", script=pip)
    copy = f'cp "{programs.folder / NAME}" .venv/bin/'
    programs.install("uv", script=f"mkdir -p .venv/bin models && {copy} && touch models/model.ckpt")
    programs.install(NAME, script=f'[ "$3" = "data.source=a b" ] || exit 9; exit {status}')
    done = subprocess.run(["/bin/bash", SCRIPT], check=False, capture_output=True, text=True)
    assert f"Ended with exit status {123 if status else 0}" in done.stdout  # xargs says 123
    [train] = [words for words in programs.calls() if words[0] == NAME]
    assert train[:-1] == [NAME, "train", "data={{ cookiecutter.__own }}", "data.source=a b"]
    assert re.fullmatch("hydra.output_subdir=/.+/models/hydra", train[-1])
    assert programs.calls()[-4:] == [
        [*COPY, "training.log", "gs://a-bucket/runs/a-job/"],
        [*COPY, "--recursive", "models/model.ckpt", "gs://a-bucket/runs/a-job/"],
        [*DELETE, "--zone=europe-west4-b", "--quiet"],
        ["poweroff"],
    ]
