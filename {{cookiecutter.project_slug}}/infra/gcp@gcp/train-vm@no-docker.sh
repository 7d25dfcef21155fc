#!/bin/bash
# What a training machine does when it starts: it trains what `cloud train` has uploaded, copies the
# results to the bucket and deletes itself, however that ended. Should even this script be stopped,
# --max-run-duration deletes the machine.
set -euo pipefail

finish() {
  status=$?
  set +eu
  echo "Ended with exit status $status"
  gcloud storage cp training.log "gs://$bucket/runs/$job/"
  gcloud storage cp --recursive models/* "gs://$bucket/runs/$job/"
  gcloud compute instances delete "$job" --zone="$zone" --quiet
  poweroff # where it could not be deleted, it costs no more than its disk
}
trap finish EXIT

metadata() {
  curl --fail --silent --show-error --retry 5 --header "Metadata-Flavor: Google" \
    "http://metadata.google.internal/computeMetadata/v1/instance/$1"
}

export HOME=/root
cd "$(mktemp -d)"
exec > >(tee training.log) 2>&1

job=$(metadata name)
zone=$(metadata zone | sed "s|.*/||")
bucket=$(metadata attributes/bucket)
overrides=$(metadata attributes/overrides)
SOURCE_COMMIT=$(metadata attributes/commit)
export SOURCE_COMMIT

gcloud storage cat "gs://$bucket/source/$job.tar.gz" | tar -xz
apt-get update --quiet && apt-get install --quiet --yes python3-venv
python3 -m venv .uv && .uv/bin/pip install --quiet uv==0.13.8
PATH="$PWD/.uv/bin:$PATH"
uv venv --python {{ cookiecutter.python_version }}
# The build of PyTorch that fits the machine: for its GPU, or for none
uv pip install --torch-backend=auto --no-sources --editable .
# xargs reads the quotes that keep an override with spaces together
xargs .venv/bin/{{ cookiecutter.project_slug }} train <<< "$overrides hydra.output_subdir=$PWD/models/hydra"
