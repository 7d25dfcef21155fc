"""Delete what was not chosen, then say what to do next.

`KEEP` is the only place that says which answers a path needs; what it does not name is kept.
"""

import json
import shutil
from pathlib import Path

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")

slug = ANSWERS["project_slug"]
environment = ANSWERS["environment"]
tracker = ANSWERS["tracker"]
onnx_export = ANSWERS["onnx_export"]
serving = ANSWERS["serving"]
docker = ANSWERS["docker"]
ci = ANSWERS["ci"]
cloud = ANSWERS["cloud"]
# Where there is something to deploy: Google Cloud takes a function without an image
deploys = serving != "none" and (cloud == "gcp" or (docker and cloud != "none"))

KEEP = {
    ".amlignore": cloud == "azure" and not docker,
    ".dockerignore": docker,
    ".env.example": tracker in {"wandb", "mlflow", "comet"} or cloud != "none",
    ".gcloudignore": cloud == "gcp" and (docker or deploys),
    ".github/workflows/deploy.yaml": deploys,
    ".github/workflows/images.yaml": docker,
    ".github/workflows/train.yaml": cloud != "none",
    ".github": ci == "github",
    ".gitlab-ci.yml": ci == "gitlab",
    ".gitlab/ci/cloud.yml": cloud != "none",
    ".gitlab/ci/deploy.yml": deploys,
    ".gitlab/ci/images.yml": docker,
    ".gitlab/ci/train.yml": cloud != "none",
    ".gitlab": ci == "gitlab",
    "bentofile.yaml": serving == "bentoml",
    "compose.yaml": docker,
    "configs/export.yaml": onnx_export,
    "configs/logger/comet.yaml": tracker == "comet",
    "configs/logger/mlflow.yaml": tracker == "mlflow",
    "configs/logger/tensorboard.yaml": tracker == "tensorboard",
    "configs/logger/wandb.yaml": tracker == "wandb",
    "dockerfiles/api.dockerfile": serving != "none",
    "dockerfiles/lambda.dockerfile": cloud == "aws" and deploys,
    "dockerfiles": docker,  # a folder goes after what it holds
    "docs/aws.md": cloud == "aws",
    "docs/azure.md": cloud == "azure",
    "docs/ci.md": ci != "none",
    "docs/gcp.md": cloud == "gcp",
    "docs/serving.md": serving != "none",
    "environment.yml": environment == "conda",
    "infra/aws/alerts.tf": deploys,
    "infra/aws/github.tf": ci == "github",
    "infra/aws/gitlab.tf": ci == "gitlab",
    "infra/aws/pipelines.tf": ci != "none",
    "infra/aws/registry.tf": docker,
    "infra/aws/service.tf": deploys,
    "infra/aws": cloud == "aws",
    "infra/azure/alerts.tf": deploys,
    "infra/azure/github.tf": ci == "github",
    "infra/azure/gitlab.tf": ci == "gitlab",
    "infra/azure/registry.tf": docker,
    "infra/azure/service.tf": deploys,
    "infra/azure": cloud == "azure",
    "infra/gcp/alerts.tf": deploys,
    "infra/gcp/build.tf": docker or deploys,
    "infra/gcp/ci.tf": ci != "none",
    "infra/gcp/cloudbuild.yaml": docker,
    "infra/gcp/function.tf": deploys and not docker,
    "infra/gcp/github.tf": ci == "github",
    "infra/gcp/gitlab.tf": ci == "gitlab",
    "infra/gcp/registry.tf": docker,
    "infra/gcp/service.tf": deploys and docker,
    "infra/gcp/train-vm.sh": not docker,
    "infra/gcp/vertex-cpu.yaml": docker,
    "infra/gcp/vertex-gpu.yaml": docker,
    "infra/gcp": cloud == "gcp",
    "infra": cloud != "none",
    "main.py": cloud == "gcp" and deploys and not docker,
    f"src/{slug}/api.py": serving == "fastapi",
    f"src/{slug}/aws.py": cloud == "aws",
    f"src/{slug}/aws_lambda.py": cloud == "aws" and deploys,
    f"src/{slug}/azure.py": cloud == "azure",
    f"src/{slug}/batcher.py": serving == "fastapi",
    f"src/{slug}/benchmark.py": onnx_export,
    f"src/{slug}/bento.py": serving == "bentoml",
    f"src/{slug}/comet_tracking.py": tracker == "comet",
    f"src/{slug}/export.py": onnx_export,
    f"src/{slug}/function.py": cloud == "gcp" and deploys and not docker,
    f"src/{slug}/gcp.py": cloud == "gcp",
    f"src/{slug}/mlflow_tracking.py": tracker == "mlflow",
    f"src/{slug}/onnx_model.py": onnx_export,
    f"src/{slug}/openapi.py": serving == "bentoml",
    f"src/{slug}/payloads.py": serving != "none",
    f"src/{slug}/request_log.py": serving == "fastapi",
    f"src/{slug}/service.py": serving == "bentoml",
    f"src/{slug}/settings.py": serving != "none",
    f"src/{slug}/shell.py": cloud != "none",
    f"src/{slug}/tensorboard_tracking.py": tracker == "tensorboard",
    f"src/{slug}/wandb_tracking.py": tracker == "wandb",
    "tests/locustfile.py": serving != "none",
    "tests/test_api.py": serving == "fastapi",
    "tests/test_aws.py": cloud == "aws",
    "tests/test_azure.py": cloud == "azure",
    "tests/test_batcher.py": serving == "fastapi",
    "tests/test_comet_tracking.py": tracker == "comet",
    "tests/test_export.py": onnx_export,
    "tests/test_function.py": cloud == "gcp" and deploys and not docker,
    "tests/test_gcp.py": cloud == "gcp",
    "tests/test_lambda.py": cloud == "aws" and deploys,
    "tests/test_load.py": serving != "none",
    "tests/test_mlflow_tracking.py": tracker == "mlflow",
    "tests/test_service.py": serving == "bentoml",
    "tests/test_tensorboard_tracking.py": tracker == "tensorboard",
    "tests/test_wandb_tracking.py": tracker == "wandb",
}

NEXT = {
    "uv": [f"cd {slug}", "uv sync", f"uv run {slug} train"],
    "conda": [
        f"cd {slug}",
        "conda env create --file environment.yml",
        f"conda activate {slug}",
        f"pip install --editable . {ANSWERS['__groups']}",
        f"{slug} train",
    ],
}


def prune() -> None:
    """Delete every path of `KEEP` whose condition does not hold."""
    for name, keep in KEEP.items():
        path = Path(name)
        if keep:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


prune()
print(f"\nBaked {slug}. Next:\n")
for command in NEXT[environment]:
    print(f"  {command}")
