"""The command lines that train and deploy on Google Cloud; `shell.py` runs them."""

{% if cookiecutter.docker -%}
import json
{%- else -%}
import shlex
{%- endif %}
from datetime import UTC, datetime
from pathlib import Path
{%- if cookiecutter.docker %}
from string import Template
{%- endif %}

from ..training.source import source_commit
from .shell import Command, Login, setting

NAME = "{{ cookiecutter.__cloud_name }}"
BUCKET = "{{ cookiecutter.__bucket }}"
INFRA = Path(__file__).resolve().parents[3] / "infra/gcp"
LOGIN = Login(["gcloud", "auth", "print-access-token"], "gcloud auth login")
{%- if cookiecutter.docker %}

# Vertex AI mounts the bucket for root
TRAIN = ["--build-arg=RUN_AS=0:0"]
# What a training image gets for a GPU; without one it gets the default of its Dockerfile
CUDA = ["--build-arg=TORCH_INDEX=https://download.pytorch.org/whl/cu126"]


def train_commands(overrides: list[str], *, gpu: bool) -> list[Command]:
    """Build and push the training image, and start a job of Vertex AI with it.

    The job's specification is written to outputs/vertex.yaml, for it holds names that `infra/` does
    not know. Its results go to a folder of the bucket that is named like the job.
    """
    job = job_name()
    kind = "gpu" if gpu else "cpu"
    image = f"{registry()}/train-{kind}:{tag()}"
    words = [*(["trainer=gpu"] if gpu else []), *overrides]
    specification = Template((INFRA / f"vertex-{kind}.yaml").read_text("utf-8")).substitute(
        account=account("training"),
        arguments=json.dumps([*words, f"checkpoint=/gcs/{BUCKET}/runs/{job}/model.ckpt"]),
        image=image,
    )
    path = Path("outputs/vertex.yaml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(specification, "utf-8")
    return [
        build("train", image, *TRAIN, *(CUDA if gpu else [])),
        *push(image),
        Command(
            [
                *("gcloud", "ai", "custom-jobs", "create"),
                *place(),
                f"--display-name={job}",
                f"--config={path.as_posix()}",
            ]
        ),
    ]


{%- if cookiecutter.serving != "none" %}


def deploy_commands(image: str, *, push_only: bool) -> list[Command]:
    """Build the service's image, push it, and let Cloud Run serve it.

    Args:
        image: An image to push instead of building one.
        push_only: Push the image from which the service is created, and change no service.
    """
    target = f"{registry()}/api:{'latest' if push_only else tag()}"
    commands = [build("api", target)]
    if image:
        commands = [
            Command(["docker", "pull", image]),
            Command(["docker", "tag", image, target]),
        ]
    commands += push(target)
    if not push_only:
        update = ["gcloud", "run", "services", "update", NAME]
        commands.append(Command([*update, *place(), f"--image={target}"]))
    return commands
{%- endif %}


def build(image: str, target: str, *options: str) -> Command:
    """Build one of the images, for the processors that Google Cloud has."""
    return Command(
        [
            *("docker", "build", "--platform=linux/amd64", "--provenance=false"),
            f"--file=dockerfiles/{image}.dockerfile",
            f"--build-arg=SOURCE_COMMIT={source_commit() or ''}",
            *options,
            f"--tag={target}",
            ".",
        ]
    )


def push(target: str) -> list[Command]:
    """Log in to the registry and push an image to it."""
    host = registry().partition("/")[0]
    login = ["docker", "login", "--username=oauth2accesstoken", "--password-stdin", host]
    return [Command(login, fed_by=LOGIN.check), Command(["docker", "push", target])]


def registry() -> str:
    """Name the place of the project's images in Artifact Registry."""
    region, project = setting("GOOGLE_CLOUD_REGION"), setting("GOOGLE_CLOUD_PROJECT")
    return f"{region}-docker.pkg.dev/{project}/{NAME}"


def tag() -> str:
    """Name an image after the source that it is made from."""
    return source_commit() or "latest"


def place() -> list[str]:
    """Say which project and region a command means."""
    return [
        f"--project={setting('GOOGLE_CLOUD_PROJECT')}",
        f"--region={setting('GOOGLE_CLOUD_REGION')}",
    ]
{%- else %}

# Four processors; or four and a GPU, with its driver
MACHINES = {
    False: [
        "--machine-type=n2-standard-4",
        "--image-project=debian-cloud",
        "--image-family=debian-12",
    ],
    True: [
        "--machine-type=g2-standard-4",
        "--maintenance-policy=TERMINATE",
        "--image-project=deeplearning-platform-release",
        "--image-family=common-cu129-ubuntu-2204-nvidia-580",
    ],
}


def train_commands(overrides: list[str], *, gpu: bool) -> list[Command]:
    """Upload the committed source, and start a machine that trains it and then deletes itself.

    Its results go to a folder of the bucket that is named like the machine.
    """
    job = job_name()
    source = f"gs://{BUCKET}/source/{job}.tar.gz"
    commit = (source_commit() or "").removesuffix("-dirty")  # only what is committed goes there
    words = shlex.join([*(["trainer=gpu"] if gpu else []), *overrides])
    # What a value may not hold, for it stands between them
    mark = next(character for character in "|;@%" if character not in words)
    values = [f"bucket={BUCKET}", f"commit={commit}", f"overrides={words}"]
    return [
        Command(
            ["gcloud", "storage", "cp", "-", source],
            fed_by=["git", "archive", "--format=tar.gz", "HEAD"],
        ),
        Command(
            [
                *("gcloud", "compute", "instances", "create", job),
                f"--project={setting('GOOGLE_CLOUD_PROJECT')}",
                f"--zone={setting('GOOGLE_CLOUD_REGION')}-b",
                *MACHINES[gpu],
                "--boot-disk-size=100GB",
                f"--service-account={account('training')}",
                "--scopes=cloud-platform",
                "--max-run-duration=12h",
                "--instance-termination-action=DELETE",
                f"--metadata-from-file=startup-script={INFRA / 'train-vm.sh'}",
                f"--metadata=^{mark}^{mark.join(values)}",
            ]
        ),
    ]
{%- if cookiecutter.serving != "none" %}


def deploy_commands() -> list[Command]:
    """Write what the function needs to requirements.txt, and deploy it from its source."""
    project = setting("GOOGLE_CLOUD_PROJECT")
    return [
        Command(["dependency-groups", "--output", "requirements.txt", "serve"]),
        Command(
            [
                *("gcloud", "functions", "deploy", NAME, "--gen2", "--quiet"),
                f"--project={project}",
                f"--region={setting('GOOGLE_CLOUD_REGION')}",
                "--runtime=python{{ cookiecutter.python_version | replace('.', '') }}",
                "--source=.",
                "--entry-point=handle",
                "--trigger-http",
{%- if cookiecutter.onnx_export %}
                "--memory=1Gi",
{%- else %}
                "--memory=2Gi",
                "--set-build-env-vars=PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu",
{%- endif %}
                "--cpu=1",
                "--concurrency=4",
                "--max-instances=3",
                "--timeout=30s",
                f"--service-account={account('serving')}",
                f"--build-service-account=projects/{project}/serviceAccounts/{account('build')}",
            ]
        ),
    ]
{%- endif %}
{%- endif %}


def job_name() -> str:
    """Name a training job after the time."""
    return f"{NAME}-{datetime.now(UTC):%Y%m%d-%H%M%S}"


def account(role: str) -> str:
    """Name a service account that Terraform has made."""
    project = setting("GOOGLE_CLOUD_PROJECT")
    return f"{{ cookiecutter.__cloud_name[:20].rstrip('-') }}-{role}@{project}.iam.gserviceaccount.com"
