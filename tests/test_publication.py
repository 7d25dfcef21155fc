"""What a pipeline on main publishes and deploys: the committed model, if it is good enough.

The steps are those of the workflows. DVC, its remote and git are real. The stages only copy files:
a model is a number, its quality, and a stand-in for `compare` compares the numbers.
"""

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from bakery import bake
from machine import plain_environment
from pipeline_runner import GitHub, GitLab, JobError, Run, clean_clone, evaluate, run_script

DIGEST = "sha256:" + "0123456789abcdef" * 4
SWITCH = {"aws": "AWS_ROLE_ARN", "gcp": "GCP_WORKLOAD_IDENTITY_PROVIDER"}
STAGES = """
stages:
  prepare:
    cmd: mkdir -p data/processed && cp data/raw/README.md data/processed/data
    deps: [data/raw]
    outs: [data/processed/data]
  train:
    cmd: mkdir -p models && cp quality.txt models/model.ckpt
    deps: [data/processed/data, quality.txt]
    outs: [models/model.ckpt]
  export:
    cmd: cp models/model.ckpt models/model.onnx
    deps: [models/model.ckpt]
    outs: [models/model.onnx]
"""
COMPARE = """#!/bin/sh
echo "candidate $(cat "${2#checkpoint=}"), current $(cat "${3#current=}")"
[ "$1" = compare ] && [ "$(cat "${2#checkpoint=}")" -ge "$(cat "${3#current=}")" ]
"""
# The real ones would install the project into this environment
INSTALLS_NOTHING = """#!/bin/sh
"""
# Answers with the last deployment, and says that a later commit is ahead
GH = """#!/bin/sh
case "$*" in
  *graphql*) cat "$DEPLOYED" ;;
  *deployments*) echo later ;;
  *...later*) echo ahead ;;
esac
"""


def path_of_stand_ins(folder: Path) -> str:
    """Write the programs that no step may really run, and return a PATH that begins with them."""
    programs = folder / "bin"
    programs.mkdir()
    stand_ins = {
        "my_ml_project": COMPARE,
        "gh": GH,
        "cosign": "#!/bin/sh\nexit 1\n",  # nothing is signed
        **dict.fromkeys(("conda", "docker", "pip", "uv"), INSTALLS_NOTHING),
    }
    for name, text in stand_ins.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    return f"{programs}:{plain_environment()['PATH']}"


def git(project: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=project, check=True, env=plain_environment(), stdout=subprocess.PIPE
    )
    return done.stdout.decode().strip()


def remote(folder: Path) -> dict[str, str]:
    """Return the variable that lets DVC find the remote in a folder."""
    settings = folder / "settings"
    settings.mkdir(exist_ok=True)
    (settings / "config").write_text(f"['remote \"storage\"']\n    url = {folder / 'remote'}\n")
    return {"DVC_GLOBAL_CONFIG_DIR": str(settings)}


def dvc(project: Path, *words: str) -> None:
    environment = plain_environment(**remote(project.parent))
    subprocess.run(["dvc", *words], cwd=project, check=True, env=environment)


def commit(project: Path, quality: int, message: str, *, train: bool = True) -> str:
    """Commit a setting, with the model that follows from it or without."""
    (project / "quality.txt").write_text(f"{quality}\n")
    if train:
        dvc(project, "repro", "--quiet", "export")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(project, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def commits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Make a repository with its remote, and name its commits."""
    folder = tmp_path_factory.mktemp("publication")
    project = folder / "project"
    project.mkdir()
    (project / "data/raw").mkdir(parents=True)
    (project / "data/raw/README.md").write_text("data\n")
    (project / ".gitignore").write_text("/data/processed/\n/models/\n")
    (project / "dvc.yaml").write_text(STAGES)
    git(project, "init", "--quiet", "--initial-branch", "main")
    dvc(project, "init", "--quiet")
    (project / ".dvc/config").write_text("[core]\n    remote = storage\n")
    reason = "Take it\n\nAccept-Model: it is a tenth of the size"
    names = {
        "good": commit(project, 90, "A model"),
        "worse": commit(project, 80, "A worse model"),
        "accepted": commit(project, 80, reason, train=False),
        "better": commit(project, 95, "A better model"),
        "stale": commit(project, 99, "Change a setting, and train nothing", train=False),
    }
    (project / "dvc.lock").unlink()
    names["unlocked"] = commit(project, 99, "No lock", train=False)
    # The cache holds the model of each commit
    dvc(project, "push", "--quiet", "--all-commits")
    return folder, names


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Bake each kind of project that deploys, without uv: its commands are then on the PATH."""
    shape = {"environment": "conda", "tracker": "none"}
    found = {}
    for ci in ("github", "gitlab"):
        for cloud, docker in (("aws", True), ("gcp", False)):
            answers = {**shape, "ci": ci, "cloud": cloud, "docker": docker}
            found[ci, cloud] = bake(answers, tmp_path_factory.mktemp(f"{ci}-{cloud}")).path
    return found


@pytest.fixture
def deployments() -> Iterator[SimpleNamespace]:
    """Serve GitLab's API, which has the deployments."""
    api = SimpleNamespace(rows=[], asked=[])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            api.asked.append((self.path, self.headers["JOB-TOKEN"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(api.rows).encode())

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        api.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield api
        server.shutdown()
        thread.join()


@pytest.fixture
def publish(commits, pipelines, deployments, tmp_path) -> Callable[..., tuple[str, str]]:
    """Return what runs a pipeline on main; it returns the published model and the output."""
    folder, names = commits
    (tmp_path / "runner").mkdir()
    shutil.copytree(folder / "remote", tmp_path / "remote")

    def run(ci: str, cloud: str, name: str, deployed: str = "", lost: str = "") -> tuple[str, str]:
        baked, project = pipelines[ci, cloud], tmp_path / "project"
        git(folder, "clone", "--quiet", "project", str(project))
        # The pipeline comes on top of the named commit, whose message it keeps
        git(project, "checkout", "--quiet", "-B", "main", names[name])
        for part in (".github", ".gitlab", ".gitlab-ci.yml"):
            if (baked / part).is_dir():
                shutil.copytree(baked / part, project / part)
            elif (baked / part).exists():
                shutil.copy(baked / part, project / part)
        git(project, "add", ".")
        git(project, "commit", "--quiet", "--amend", "--no-edit")
        for path in (tmp_path / "remote").rglob("*"):
            if path.is_file() and (lost == "all" or path.read_text("utf-8") == lost):
                path.unlink()
        (tmp_path / "deployed").write_text(names.get(deployed, ""))
        environment = plain_environment(
            PATH=path_of_stand_ins(tmp_path),
            DEPLOYED=str(tmp_path / "deployed"),
            **remote(tmp_path),
        )
        if ci == "github":
            service = GitHub(
                project, tmp_path / "runner", environment, None, {SWITCH[cloud]: "a role"}
            )
            run = service.run(
                *(("images.yaml", "model") if cloud == "aws" else ("deploy.yaml", "check"))
            )
            (model,) = run.artifacts
            return model.read_text("utf-8").strip(), run.output
        deployments.rows = [{"sha": names[deployed]}] if deployed else []
        gitlab = GitLab(project, tmp_path, environment)
        clone = clean_clone(project, tmp_path / "runner/clone", environment)
        own = {
            "CI_PIPELINE_SOURCE": "push",
            "CI_API_V4_URL": deployments.url,
            "CI_PROJECT_ID": "7",
            "CI_JOB_TOKEN": "token",
            "PULL": "--pull",
        }
        output = run_script(
            "\n".join(gitlab.lines(gitlab.jobs()["model"]["script"])), clone, environment | own
        )
        return (clone / "models/model.onnx").read_text("utf-8").strip(), output

    return run


@pytest.mark.parametrize(
    ("ci", "cloud"), [("github", "aws"), ("github", "gcp"), ("gitlab", "aws"), ("gitlab", "gcp")]
)
def test_the_committed_model_is_published(publish, deployments, ci, cloud) -> None:
    model, output = publish(ci, cloud, "better", deployed="good")
    assert model == "95"
    assert "candidate 95, current 90" in output
    if ci == "gitlab":
        (path, token), *_ = deployments.asked
        assert path.startswith("/projects/7/deployments?environment=production&status=success")
        assert token == "token"  # noqa: S105 - the one that the test gives


def test_the_first_model_is_compared_to_none(publish) -> None:
    model, output = publish("github", "aws", "good")
    assert model == "90"
    assert "candidate" not in output


@pytest.mark.parametrize(
    ("ci", "cloud", "name", "lost"),
    [
        ("github", "aws", "good", "all"),
        ("github", "aws", "good", "90\n"),
        ("github", "aws", "stale", ""),
        ("github", "aws", "unlocked", ""),
        ("github", "gcp", "good", "all"),
        ("gitlab", "aws", "good", "all"),
        ("gitlab", "aws", "stale", ""),
    ],
)
def test_a_model_that_is_not_committed_is_not_published(publish, ci, cloud, name, lost) -> None:
    with pytest.raises(JobError, match=r"run dvc repro and dvc push, and commit dvc\.lock"):
        publish(ci, cloud, name, lost=lost)


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_a_worse_model_is_not_published(publish, ci) -> None:
    with pytest.raises(JobError, match=r"candidate 80, current 90\n(.|\n)*the model is worse"):
        publish(ci, "aws", "worse", deployed="good")


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_a_worse_model_is_published_if_its_commit_says_why(publish, ci) -> None:
    model, output = publish(ci, "aws", "accepted", deployed="good")
    assert model == "80"
    assert "Accept-Model: it is a tenth of the size" in output


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_a_model_that_cannot_be_compared_is_not_published(publish, ci) -> None:
    with pytest.raises(JobError, match="can't be compared to it"):
        publish(ci, "aws", "better", deployed="good", lost="90\n")


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        ([], ""),
        ([("WAITING", "later", None), ("ACTIVE", "here", None)], "here"),
        (
            [("FAILURE", "later", None), ("ACTIVE", "here", f"https://x/commit/{'a' * 40}")],
            "a" * 40,
        ),
        ([("ACTIVE", "here", "https://x/commit/null")], "here"),
    ],
)
def test_the_commit_in_production_is_that_of_the_image(pipelines, nodes, found) -> None:
    action = pipelines["github", "aws"] / ".github/actions/committed-model/action.yaml"
    steps = yaml.safe_load(action.read_text("utf-8"))["runs"]["steps"]
    (look,) = (step["env"]["FOUND"] for step in steps if step.get("id") == "production")
    rows = [
        {"state": state, "commitOid": commit, "latestStatus": {"environmentUrl": url}}
        for state, commit, url in nodes
    ]
    answer = {"data": {"repository": {"deployments": {"nodes": rows}}}}
    words = ["jq", "--raw-output", look]
    done = subprocess.run(
        words, input=json.dumps(answer), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == found


def check_image(project: Path, folder: Path, image: str, event: str, gh: str = GH) -> Run:
    """Run the job that looks at an image before one that logs in to the cloud."""
    environment = plain_environment(PATH=path_of_stand_ins(folder))
    (folder / "bin/gh").write_text(gh)
    (folder / "runner").mkdir()
    variables = {"AWS_ROLE_ARN": "a role"}
    service = GitHub(
        project, folder / "runner", environment, {"image": image}, variables, event_name=event
    )
    return service.run("deploy.yaml", "check")


@pytest.mark.parametrize(
    "image",
    [
        "",
        f"ghcr.io/someone-else/my_ml_project/lambda@{DIGEST}",
        f"ghcr.io/your-org/my_ml_project/train@{DIGEST}",
        f"ghcr.io/your-org/my_ml_project/lambda:latest@{DIGEST}",
        "ghcr.io/your-org/my_ml_project/lambda:latest",
        f"ghcr.io/your-org/my_ml_project/lambda@{DIGEST[:-1]}",
        f"ghcr.io/your-org/my_ml_project/lambda@{DIGEST}\n--push-only",
        f"evil.example/ghcr.io/your-org/my_ml_project/lambda@{DIGEST}",
        f"ghcr.io/your-orgxmy_ml_project/../lambda@{DIGEST}",
        "$(touch crafted)",
    ],
)
def test_a_crafted_image_is_refused(pipelines, tmp_path, image) -> None:
    with pytest.raises(JobError, match=r"\n::error::the image has to be ghcr.io/.*\n$"):
        check_image(pipelines["github", "aws"], tmp_path, image, "workflow_dispatch")
    assert not list(tmp_path.rglob("crafted"))


@pytest.mark.parametrize(("event", "outdated"), [("workflow_dispatch", False), ("push", True)])
def test_an_older_commit_does_not_replace_a_later_one(pipelines, tmp_path, event, outdated) -> None:
    image = f"ghcr.io/your-org/my_ml_project/lambda@{DIGEST}"
    run = check_image(pipelines["github", "aws"], tmp_path, image, event)
    assert ("::notice::not deployed, because a later commit was: later" in run.output) is outdated


def workflow(project: Path, name: str) -> dict[Any, Any]:
    return yaml.safe_load((project / ".github/workflows" / name).read_text("utf-8"))


def group(concurrency: dict[str, Any], **github: str) -> tuple[str, bool]:
    """Return the group of a run, and whether it ends another one of it."""

    def filled(text: object) -> str:
        return re.sub(
            r"\$\{\{(.*?)\}\}", lambda row: str(evaluate(row[1], {"github": github}, {})), str(text)
        )

    return filled(concurrency["group"]), filled(concurrency["cancel-in-progress"]) == "True"


def test_a_reviewer_who_does_not_answer_holds_nothing(pipelines) -> None:
    project = pipelines["github", "aws"]
    main = {"event_name": "push", "ref": "refs/heads/main", "workflow": "CI"}
    for name in ("ci.yaml", "images.yaml", "deploy.yaml"):
        of_run = workflow(project, name)["concurrency"]
        one, other = (group(of_run, **main, sha=sha, run_id=sha) for sha in ("1", "2"))
        assert one[0] != other[0], name
        assert not one[1], name
    of_job = workflow(project, "environment.yaml")["jobs"]["deploy"]["concurrency"]
    of_staging, of_production = (
        json.loads(json.dumps(of_job).replace("inputs.environment", repr(name)))
        for name in ("staging", "production")
    )
    waits, comes = (group(of_production, **main, sha=sha, run_id=sha) for sha in ("1", "2"))
    assert waits[0] == comes[0]
    assert comes[1]
    by_hand = group(of_production, **main | {"event_name": "workflow_dispatch"})
    assert by_hand[0] != waits[0]
    assert not by_hand[1]
    assert group(of_staging, **main)[0] != waits[0]


def test_every_week_the_images_are_scanned_anew_and_none_is_published(pipelines) -> None:
    project = pipelines["github", "aws"]
    images = workflow(project, "images.yaml")
    assert images[True]["schedule"]  # YAML takes `on` for true
    for event, published in (("push", True), ("schedule", False), ("pull_request", False)):
        contexts = {"github": {"event_name": event, "ref": "refs/heads/main"}}
        assert evaluate(images["jobs"]["publish"]["if"], contexts, {}) is published
        assert "if" not in images["jobs"]["build"]

    gitlab = GitLab(pipelines["gitlab", "aws"], project, {})
    assert on_schedule(gitlab, "images") == {"model", "build-image"}


def on_schedule(gitlab: GitLab, description: str) -> set[str]:
    """Return the jobs that a schedule with a description starts."""
    found = set()
    for name, job in gitlab.jobs().items():
        for rule in job["rules"]:
            # A list is a reference: a job and its key
            rules = gitlab.pipeline[rule[0]][rule[1]] if isinstance(rule, list) else [rule]
            if f'$CI_PIPELINE_SCHEDULE_DESCRIPTION == "{description}"' in str(rules):
                found.add(name)
    return found


@pytest.mark.parametrize(
    ("event", "retrain", "trains"),
    [
        ("workflow_dispatch", "", True),
        ("schedule", "", False),
        ("schedule", "false", False),
        ("schedule", "true", True),
    ],
)
def test_training_by_schedule_is_off_until_asked_for(pipelines, event, retrain, trains) -> None:
    job = workflow(pipelines["github", "aws"], "train.yaml")["jobs"]["train"]
    variables = {"AWS_ROLE_ARN": "a role", "RETRAIN": retrain}
    contexts = {"github": {"event_name": event}, "vars": variables}
    assert evaluate(job["if"], contexts, {}) is trains


def test_a_schedule_of_gitlab_starts_what_it_is_named_for(pipelines) -> None:
    project = pipelines["gitlab", "aws"]
    assert on_schedule(GitLab(project, project, {}), "retrain") == {"train"}


OUTPUTS = {
    "ci_variables": {"value": {"REGION": "eu-west-1", "ROLE": "reader of 'a'"}},
    "ci_environments": {
        "value": {"training": {"ROLE": "trainer"}, "production": {"ROLE": "deployer"}}
    },
}
# It has one environment already, and writes down what else it is told
RECORDED = """#!/bin/sh
case "$*" in
  "api --silent "*/environments/training | *" update "*) exit "${THERE:-0}" ;;
  "api --silent repos/"* | *" update "*) exit 1 ;;
esac
printf '%s\\n' "$*" >> "$RECORD"
case "$*" in *--env-file*) cat >> "$RECORD" ;; esac
"""


def set_up(project: Path, folder: Path, outputs: dict[str, Any], there: str) -> list[str]:
    """Run infra/pipelines.sh of a project with recorders instead of gh and glab."""
    programs, record = folder / "bin", folder / "record"
    programs.mkdir()
    terraform = f"#!/bin/sh\ncat <<'OUTPUTS'\n{json.dumps(outputs)}\nOUTPUTS\n"
    for name, text in {"gh": RECORDED, "glab": RECORDED, "terraform": terraform}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    record.touch()
    environment = plain_environment(
        PATH=f"{programs}:{plain_environment()['PATH']}", RECORD=str(record), THERE=there
    )
    run_script("bash infra/pipelines.sh", project, environment)
    return record.read_text("utf-8").splitlines()


def test_variables_and_environments_are_made_from_outputs_on_github(pipelines, tmp_path) -> None:
    made = "repos/{owner}/{repo}/environments/production"
    restricted = (
        " --field deployment_branch_policy[protected_branches]=false"
        " --field deployment_branch_policy[custom_branch_policies]=true"
    )
    assert set_up(pipelines["github", "aws"], tmp_path, OUTPUTS, "0") == [
        "variable set --env-file -",
        "REGION=eu-west-1",
        "ROLE=reader of 'a'",
        f"api --silent --method PUT {made}{restricted}",
        f"api --silent --method POST {made}/deployment-branch-policies --raw-field name=main",
        "variable set --env production --env-file -",
        "ROLE=deployer",
        "variable set --env training --env-file -",
        "ROLE=trainer",
    ]


@pytest.mark.parametrize("environments", [True, False])
def test_variables_are_made_from_outputs_on_gitlab(pipelines, tmp_path, environments) -> None:
    outputs = OUTPUTS if environments else {"ci_variables": OUTPUTS["ci_variables"]}
    assert set_up(pipelines["gitlab", "aws"], tmp_path, outputs, "1") == [
        "variable set REGION eu-west-1 --scope *",
        "variable set ROLE reader of 'a' --scope *",
        *(["variable set ROLE trainer --scope training"] if environments else []),
        *(["variable set ROLE deployer --scope production"] if environments else []),
    ]


STAGING = {
    "ci_variables": {"value": {}},
    "ci_environments": {"value": {"staging": {"REGION": "eu-west-1", "ROLE": "deployer"}}},
}


def test_staging_has_an_environment_and_no_other_variables_on_github(pipelines, tmp_path) -> None:
    made = "repos/{owner}/{repo}/environments/staging"
    restricted = (
        " --field deployment_branch_policy[protected_branches]=false"
        " --field deployment_branch_policy[custom_branch_policies]=true"
    )
    assert set_up(pipelines["github", "aws"], tmp_path, STAGING, "0") == [
        f"api --silent --method PUT {made}{restricted}",
        f"api --silent --method POST {made}/deployment-branch-policies --raw-field name=main",
        "variable set --env staging --env-file -",
        "REGION=eu-west-1",
        "ROLE=deployer",
    ]


def test_staging_has_variables_of_its_scope_only_on_gitlab(pipelines, tmp_path) -> None:
    assert set_up(pipelines["gitlab", "aws"], tmp_path, STAGING, "1") == [
        "variable set REGION eu-west-1 --scope staging",
        "variable set ROLE deployer --scope staging",
    ]


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_each_cloud_has_the_outputs(ci, cloud, tmp_path) -> None:
    folder = bake({"ci": ci, "cloud": cloud}, tmp_path).path / "infra" / cloud
    outputs = re.findall(
        r'^output "ci_(\w+)"', "\n".join(map(Path.read_text, folder.glob("*.tf"))), re.MULTILINE
    )
    assert sorted(outputs) == ["environments", "variables"]


@pytest.mark.parametrize("service", ["github", "gitlab"])
def test_without_outputs_nothing_is_set(pipelines, tmp_path, service) -> None:
    with pytest.raises(JobError, match="apply it first"):
        set_up(pipelines[service, "aws"], tmp_path, {}, "1")
    assert (tmp_path / "record").read_text() == ""


# Knows who signed an image, as the public log does
COSIGN = """#!/bin/bash
case "$1" in
  sign)
    [ "$2" = --yes ] && [ -n "$SIGSTORE_ID_TOKEN" ] || exit 9
    echo "$SIGNER" > "$SIGNATURES/${3##*@}" ;;
  verify)
    image=$2
    shift 2
    while [ $# -gt 0 ]; do
      case "$1" in
        --certificate-oidc-issuer) issuer=$2 ;;
        --certificate-identity) identity=$2 ;;
      esac
      shift 2
    done
    [ "$issuer $identity" = "https://gitlab.com $(cat "$SIGNATURES/${image##*@}")" ] ;;
esac
"""
# Each image that it is asked for has the digest
DOCKER = f"""#!/bin/sh
case "$1" in
  login) cat > /dev/null ;;
  image) echo "\\"$CI_REGISTRY_IMAGE/$IMAGE@{DIGEST}\\"" ;;
esac
"""


@pytest.fixture
def signs(pipelines: dict[tuple[str, str], Path], tmp_path: Path) -> Callable[..., Any]:
    """Return a function that runs the job which publishes an image, up to what it signs."""
    programs = tmp_path / "bin"
    (tmp_path / "signatures").mkdir()
    programs.mkdir()
    for name, text in {"cosign": COSIGN, "docker": DOCKER}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    project = pipelines["gitlab", "aws"]
    script = yaml.load(
        (project / ".gitlab/ci/images.yml").read_text("utf-8").replace("!reference", ""),
        yaml.SafeLoader,
    )["publish-image"]["script"]

    def run(*, signed_by: str = "ada/net//.gitlab-ci.yml@refs/heads/main", **more: str) -> str:
        environment = plain_environment(
            PATH=f"{programs}:{plain_environment()['PATH']}",
            CI_DEFAULT_BRANCH="main",
            CI_COMMIT_SHA="abc",
            CI_PROJECT_URL="https://gitlab.com/ada/net",
            CI_PROJECT_VISIBILITY="public",
            CI_REGISTRY="registry.gitlab.com",
            CI_REGISTRY_IMAGE="registry.gitlab.com/ada/net",
            CI_REGISTRY_PASSWORD="secret",  # noqa: S106
            CI_REGISTRY_USER="ada",
            CI_SERVER_HOST="gitlab.com",
            IMAGE="lambda",
            SIGNATURES=str(tmp_path / "signatures"),
            SIGNER=f"https://gitlab.com/{signed_by}",
            SIGSTORE_ID_TOKEN="token",  # noqa: S106
        )
        environment |= more
        run_script("\n".join(script[1:]), tmp_path, environment)
        if not signed_by:
            (tmp_path / "signatures" / DIGEST).unlink()
        published = (tmp_path / "image.env").read_text().strip()
        verify = project / ".gitlab/ci/verify-image.sh"
        return run_script(f'{published}; bash {verify} "$PUBLISHED"', tmp_path, environment)

    return run


def test_an_image_that_the_pipeline_of_main_has_signed_is_accepted(signs, tmp_path) -> None:
    signs()
    assert [path.name for path in (tmp_path / "signatures").iterdir()] == [DIGEST]
    assert (tmp_path / "image.env").read_text() == (
        f"PUBLISHED=registry.gitlab.com/ada/net/lambda@{DIGEST}\n"
    )


@pytest.mark.parametrize(
    "signer",
    [
        "ada/net//.gitlab-ci.yml@refs/heads/main2",
        "ada/net//.gitlab-ci.yml@refs/tags/main",
        "ada/net//.gitlab-ci.yml@refs/merge-requests/7/head",
        "ada/net//other.yml@refs/heads/main",
        "eve/net//.gitlab-ci.yml@refs/heads/main",
        "",
    ],
)
def test_an_image_that_nobody_or_something_else_has_signed_is_refused(signs, signer) -> None:
    with pytest.raises(JobError, match=r"verify-image\.sh"):
        signs(signed_by=signer)


@pytest.mark.parametrize(
    "where",
    [{"CI_PROJECT_VISIBILITY": "private"}, {"CI_PROJECT_VISIBILITY": "internal"},
     {"CI_SERVER_HOST": "gitlab.example.com"}],
)  # fmt: skip
def test_no_private_project_is_named_in_a_public_log(signs, tmp_path, where) -> None:
    signs(**where)
    assert not list((tmp_path / "signatures").iterdir())


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_only_the_job_that_deploys_holds_its_credentials_and_it_trains_nothing(
    pipelines, cloud
) -> None:
    jobs = workflow(pipelines["github", cloud], "deploy.yaml")["jobs"]
    jobs |= workflow(pipelines["github", cloud], "environment.yaml")["jobs"]
    assert "dvc" not in json.dumps(jobs["deploy"])
    assert "environment" not in jobs["check"]
    assert jobs["staging"]["needs"] == "check"
    assert jobs["production"]["needs"] == ["check", "staging"]
    login = "aws-actions/configure-aws-credentials" if cloud == "aws" else "service_account"
    assert login in json.dumps(jobs["deploy"])
    assert login not in json.dumps(jobs["check"])


def test_an_image_is_verified_before_the_login(pipelines) -> None:
    steps = workflow(pipelines["github", "aws"], "environment.yaml")["jobs"]["deploy"]["steps"]
    order = [json.dumps(step) for step in steps]
    verified = next(n for n, step in enumerate(order) if "gh attestation verify" in step)
    login = next(n for n, step in enumerate(order) if "configure-aws-credentials" in step)
    assert verified < login
    for word in ("--signer-workflow", "--source-ref refs/heads/main", "--repo"):
        assert word in order[verified]


def starts(condition: str, staging: str = "", check: str = "success", **given: str) -> bool:
    """Say whether a job of deploy.yaml starts after the results of those before it."""
    needs = {
        "check": {"result": check, "outputs": {"outdated": given.get("outdated", "")}},
        "staging": {"result": staging},
    }
    contexts = {
        "github": {"event_name": given.get("event", "push")},
        "needs": needs,
        "vars": {"STAGING": given.get("switch", "")},
    }
    return bool(evaluate(condition, contexts, {"cancelled": lambda: False}))


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_production_gets_what_staging_ran_or_nothing(pipelines, cloud) -> None:
    jobs = workflow(pipelines["github", cloud], "deploy.yaml")["jobs"]
    staging, production = jobs["staging"], jobs["production"]
    assert staging["uses"] == production["uses"] == "$/.github/workflows/environment.yaml"
    assert staging["with"] | {"environment": "production"} == production["with"]
    if cloud == "aws":
        assert production["with"]["image"] == "${{ inputs.image }}"

    assert not starts(staging["if"])  # off until asked for
    assert starts(staging["if"], switch="true")
    assert not starts(staging["if"], switch="true", event="workflow_dispatch")
    assert not starts(staging["if"], switch="true", outdated="true")

    assert starts(production["if"], "success")
    assert starts(production["if"], "skipped")
    assert not starts(production["if"], "failure")
    assert not starts(production["if"], "cancelled")  # by the deployment of a later commit
    assert not starts(production["if"], "skipped", check="failure")
    assert not starts(production["if"], "skipped", check="skipped")
    assert not starts(production["if"], "skipped", outdated="true")


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_production_gets_what_staging_ran_or_nothing_on_gitlab(pipelines, cloud) -> None:
    jobs = GitLab(pipelines["gitlab", cloud], pipelines["gitlab", cloud], {}).jobs()
    staging, production = jobs["staging"], jobs["deploy"]
    assert staging["script"] == production["script"]
    assert [*staging["needs"], {"job": "staging", "optional": True}] == production["needs"]
    [rule] = staging["rules"]
    assert rule["if"].endswith(' && $STAGING == "true"')
    assert [{"if": rule["if"].removesuffix(' && $STAGING == "true"')}] == production["rules"]
    assert [staging["environment"], production["environment"]] == ["staging", "production"]
    assert staging["resource_group"] != production["resource_group"]


IMAGE = f"ghcr.io/your-org/my_ml_project/lambda@{DIGEST}"
# Ends as the command does that deploys
ENDS = """#!/bin/sh
echo "my_ml_project $*"
exit {code}
"""


@pytest.fixture
def deploy(pipelines, tmp_path) -> Callable[..., str]:
    """Return what runs a deployment that ends with an exit code, and returns its output."""

    def run(ci: str, code: int, visibility: str = "private") -> str:
        path = path_of_stand_ins(tmp_path)
        (tmp_path / "bin/my_ml_project").write_text(ENDS.format(code=code))
        project = pipelines[ci, "aws"]
        if ci == "github":
            *_, step = workflow(project, "environment.yaml")["jobs"]["deploy"]["steps"]
            script, own = step["run"], {"IMAGE": IMAGE}
        else:
            script = "\n".join(GitLab(project, tmp_path, {}).jobs()["staging"]["script"])
            shutil.copytree(project / ".gitlab", tmp_path / ".gitlab")
            login = dict.fromkeys(("CI_REGISTRY", "CI_REGISTRY_USER", "CI_REGISTRY_PASSWORD"), "x")
            own = {"PUBLISHED": IMAGE, "CI_PROJECT_VISIBILITY": visibility, **login}
            own["CI_SERVER_HOST"] = "gitlab.com"
        return run_script(script, tmp_path, plain_environment(PATH=path, **own))

    return run


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_a_deployment_is_checked(deploy, ci) -> None:
    output = deploy(ci, 0)
    assert f"\nmy_ml_project cloud deploy --image {IMAGE} --check\n" in output
    assert "has asked the service" not in output.rpartition("--check\n")[2]


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_a_deployment_that_was_taken_back_fails(deploy, ci) -> None:
    with pytest.raises(JobError, match=r"--check\n$"):
        deploy(ci, 2)


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_a_service_that_nobody_asked_is_a_warning(deploy, ci) -> None:
    warning = deploy(ci, 3).rpartition("--check\n")[2]
    start = "::warning::" if ci == "github" else "WARNING: "
    assert warning.startswith(f"{start}nobody has asked the service")


def test_an_image_that_is_not_signed_is_not_deployed_on_gitlab(deploy) -> None:
    with pytest.raises(JobError) as refused:
        deploy("gitlab", 0, "public")
    assert f"--image {IMAGE}" not in str(refused.value)


def test_an_older_commit_replaces_no_later_one_in_staging_either(pipelines, tmp_path) -> None:
    image = f"ghcr.io/your-org/my_ml_project/lambda@{DIGEST}"
    gh = GH.replace("  *deployments*)", "  *=production*) ;;\n  *deployments*)")
    run = check_image(pipelines["github", "aws"], tmp_path, image, "push", gh)
    assert "a later commit was: later" in run.output
