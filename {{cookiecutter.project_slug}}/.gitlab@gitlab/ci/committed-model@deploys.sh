#!/bin/bash
# Pull the model that dvc.lock names, which may be no worse than the one in production
set -eu

if ! {{ cookiecutter.__run }}dvc pull --with-deps {{ cookiecutter.__model_stage }} \
  || ! {{ cookiecutter.__run }}dvc status --with-deps --quiet {{ cookiecutter.__model_stage }}; then
  {{ cookiecutter.__run }}dvc status --with-deps {{ cookiecutter.__model_stage }}
  echo "this commit's model is not in the remote, or older than its code, data or settings:" \
    "run dvc repro and dvc push, and commit dvc.lock" >&2
  exit 1
fi

# The last deployment, which may be a rollback
deployed=$(python3 - <<'PYTHON'
import json
import os
import urllib.request

project = f"{os.environ['CI_API_V4_URL']}/projects/{os.environ['CI_PROJECT_ID']}"
query = "environment=production&status=success&order_by=id&sort=desc&per_page=1"
token = {"JOB-TOKEN": os.environ["CI_JOB_TOKEN"]}
request = urllib.request.Request(f"{project}/deployments?{query}", headers=token)
with urllib.request.urlopen(request, timeout=60) as answer:
    print(*(row["sha"] for row in json.load(answer)))
PYTHON
)
if [ -z "$deployed" ]; then
  exit
fi
git fetch --quiet origin "$deployed"
git worktree add --force --detach production FETCH_HEAD
if {{ cookiecutter.__run }}dvc --cd production pull train \
  && {{ cookiecutter.__run }}{{ cookiecutter.project_slug }} compare checkpoint=models/model.ckpt \
    current=production/models/model.ckpt; then
  exit
elif git log -1 --format=%B | grep "^Accept-Model: ."; then
  echo "the commit accepts a model that is not known to be as good as the one in production"
else
  echo "the model is worse than the one in production, or can't be compared to it:" \
    "train a better one, or say why this one is accepted (docs/ci.md)" >&2
  exit 1
fi
