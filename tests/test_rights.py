"""What each identity of the infrastructure may do, and what the commands that run as it need.

The commands are those that the bakes plan themselves; `NEEDS` has what each asks of its provider.
What a predefined role holds is in `cloud_roles.json`, as its provider published it.
"""

import fnmatch
import functools
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from bakery import Answers, bake
from machine import plain_environment
from terraform import Folder, blocks
from test_infra import infra, terraform_of
from test_provider_commands import SETTINGS

ROLES = json.loads(Path(__file__).with_name("cloud_roles.json").read_text("utf-8"))

PLAN = """
import contextlib, importlib, importlib.util, inspect, json, pathlib, sys
cloud = f"{sys.argv[1]}.cloud"
asked = []
# What is in service: to Amazon's command, to Azure's and to Google's
former = {"aws": "image@sha256:" + 64 * "0", "azure": "image"}
name = getattr(importlib.import_module(f"{cloud}.provider"), "NAME", "")
former = former.get(sys.argv[2], f"{name}-00001-abc")
shell = importlib.import_module(f"{cloud}.shell")
shell.printed = lambda words: asked.append(" ".join(words)) or former
train = importlib.import_module(f"{cloud}.job").train_commands
download = importlib.import_module(f"{cloud}.download").download_commands
plan = {"train": train([], gpu=False), "fetch": download("job", pathlib.Path("a"))}
if importlib.util.find_spec(f"{cloud}.deployment"):
    deploy = importlib.import_module(f"{cloud}.deployment").deploy_commands
    given = {"image": "image@sha256:0", "push_only": False}
    given = {name: given[name] for name in inspect.signature(deploy).parameters}
    plan["deploy"] = deploy(**given)
    plan["deploy"] += importlib.import_module(f"{cloud}.rollback").return_commands()
    ask = importlib.import_module(f"{cloud}.service").connect()
    if sys.argv[2] == "aws":
        with contextlib.suppress(FileNotFoundError):  # the answer
            ask("/predict", b"{}")
lines = {
    name: [" ".join(words) for one in commands for words in (one.fed_by, one.words) if words]
    for name, commands in plan.items()
}
if asked:
    lines["deploy"] += [*asked, "a service is asked"]
print(json.dumps(lines))
"""

# What the beginning of a command line asks of the provider, by the provider's page in the comment.
# Words before which there is no program name what a provider does itself.
NOTHING = dict.fromkeys(
    (
        "az account get-access-token",
        "az extension add",
        "dependency-groups",
        "docker build",
        "docker login",
        "docker logout",
        "docker pull",
        "docker tag",
        "gcloud auth print-access-token",
        "git archive",
        "tar",
    ),
    "",
)
ACR = "Microsoft.ContainerRegistry/registries"
APP = "Microsoft.App/containerApps"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
ML = "Microsoft.MachineLearningServices/workspaces"
NEEDS: dict[str, dict[str, str]] = {
    "aws": NOTHING
    | {
        # AmazonECR/latest/userguide/image-push-iam.html
        "aws ecr get-login-password": "ecr:GetAuthorizationToken",
        "docker push": (
            "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:CompleteLayerUpload"
            " ecr:InitiateLayerUpload ecr:PutImage ecr:UploadLayerPart"
        ),
        # lambda/latest/dg/images-create.html: who names an image has to be able to read it
        "aws lambda update-function-code": (
            "lambda:UpdateFunctionCode ecr:BatchGetImage ecr:GetDownloadUrlForLayer"
        ),
        "aws lambda wait function-updated-v2": "lambda:GetFunction",
        "aws lambda get-function": "lambda:GetFunction",
        "aws lambda invoke": "lambda:InvokeFunction",
        "a service is asked": "",
        "aws s3 cp --region=eu-west-1 -": "s3:AbortMultipartUpload s3:PutObject",
        "aws sagemaker create-training-job": "sagemaker:CreateTrainingJob iam:PassRole",
        "dvc pull": "s3:GetObject s3:ListBucket",
        # sagemaker/latest/dg/sagemaker-roles.html, CreateTrainingJob
        "SageMaker runs a job": (
            "cloudwatch:PutMetricData logs:CreateLogGroup logs:CreateLogStream"
            " logs:DescribeLogStreams logs:PutLogEvents s3:AbortMultipartUpload"
            " s3:GetBucketLocation s3:GetObject s3:ListBucket s3:PutObject"
            " ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetAuthorizationToken"
            " ecr:GetDownloadUrlForLayer"
        ),
        # lambda/latest/dg/lambda-intro-execution-role.html; Terraform makes the group
        "Lambda runs a function": "logs:CreateLogStream logs:PutLogEvents",
    },
    "azure": NOTHING
    | {
        "az acr login": f"{ACR}/pull/read",
        "docker push": f"{ACR}/pull/read {ACR}/push/write",
        "az containerapp show": f"{APP}/read",
        "a service is asked": "",  # from an address that it lets in
        "az containerapp update": f"{APP}/read {APP}/write",  # a PATCH of what is there
        "az keyvault secret set": "Microsoft.KeyVault/vaults/secrets/setSecret/action",
        # machine-learning/how-to-assign-roles, "submitting any type of run"
        "az ml job create": (
            f"{ML}/environments/build/action {ML}/environments/versions/write"
            f" {ML}/experiments/jobs/write {ML}/experiments/runs/write {ML}/jobs/read"
            f" {ML}/jobs/write {ML}/metadata/artifacts/write {ML}/metadata/snapshots/write"
        ),
        "az ml job create, with code": f"{ML}/codes/versions/write {BLOBS}/read {BLOBS}/write",
        "az ml job download": f"{ML}/jobs/read {BLOBS}/read",
        "dvc pull": f"{BLOBS}/read",
        "dvc push": f"{BLOBS}/read {BLOBS}/write",
        "Azure ML runs a job": f"{BLOBS}/read {BLOBS}/write {BLOBS}/add/action",
        "Azure ML pulls an image": f"{ACR}/pull/read",
        "Container Apps runs a service": (
            f"{ACR}/pull/read Microsoft.KeyVault/vaults/secrets/getSecret/action"
        ),
    },
    "gcp": NOTHING
    | {
        # storage/docs/access-control/iam-gcloud
        "gcloud storage cp - gs:": (
            "storage.objects.create storage.objects.get storage.objects.list"
        ),
        "dvc pull": "storage.objects.get storage.objects.list",
        # artifact-registry/docs/access-control
        "docker push": (
            "artifactregistry.repositories.downloadArtifacts"
            " artifactregistry.repositories.uploadArtifacts"
            " artifactregistry.tags.create artifactregistry.tags.update"
        ),
        "gcloud ai custom-jobs create": "aiplatform.customJobs.create iam.serviceAccounts.actAs",
        # compute/docs/instances/create-start-instance; gcloud asks for zone and operation, too
        "gcloud compute instances create": (
            "compute.disks.create compute.instances.create compute.instances.get"
            " compute.instances.setMetadata compute.instances.setServiceAccount"
            " compute.projects.get compute.subnetworks.use compute.subnetworks.useExternalIp"
            " compute.zoneOperations.get compute.zones.get iam.serviceAccounts.actAs"
        ),
        # run/docs/deploying#permissions_required_to_deploy
        "gcloud run services update": (
            "artifactregistry.repositories.downloadArtifacts iam.serviceAccounts.actAs"
            " run.operations.get run.services.get run.services.update"
        ),
        # functions/docs/reference/iam/roles
        "gcloud functions deploy": (
            "cloudfunctions.functions.create cloudfunctions.functions.get"
            " cloudfunctions.functions.sourceCodeSet cloudfunctions.functions.update"
            " cloudfunctions.operations.get iam.serviceAccounts.actAs"
        ),
        "gcloud run services describe": "run.services.get",
        "gcloud run services update-traffic": (
            "iam.serviceAccounts.actAs run.operations.get run.services.get run.services.update"
        ),
        "gcloud auth print-identity-token": "iam.serviceAccounts.getOpenIdToken",
        "a service is asked": "run.routes.invoke",
        "a token of a pipeline": "iam.serviceAccounts.getAccessToken",
        "Vertex AI runs a job": (
            "storage.objects.create storage.objects.delete storage.objects.get storage.objects.list"
        ),
        "a machine trains": (
            "compute.instances.delete storage.objects.create storage.objects.get"
            " storage.objects.list"
        ),
        "Cloud Run runs a service": "secretmanager.versions.access",
        "Cloud Build builds": (
            "artifactregistry.repositories.downloadArtifacts"
            " artifactregistry.repositories.uploadArtifacts logging.logEntries.create"
            " storage.objects.get"
        ),
    },
}


@dataclass
class Grants:
    """What an identity holds.

    Attributes:
        listed: Permissions that the project's own files list.
        roles: Predefined roles, each with the type of what it is for.
        everywhere: What is not for one resource, or part of one.
    """

    listed: set[str] = field(default_factory=set)
    roles: set[tuple[str, str]] = field(default_factory=set)
    everywhere: set[str] = field(default_factory=set)


@functools.cache
def plan(cloud: str, *, docker: bool, serves: bool) -> dict[str, list[str]]:
    """Return the command lines that each `cloud` command of a bake would run."""
    serving = "fastapi" if serves else "none"
    answers: Answers = {
        "cloud": cloud, "docker": docker, "serving": serving, "tracker": "none",
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        folder = bake(answers, Path(scratch)).path
        done = subprocess.run(
            [sys.executable, "-c", PLAN, folder.name, cloud],
            cwd=folder,
            env=plain_environment(**SETTINGS, PYTHONPATH=str(folder / "src")),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def commands_of(answers: Answers) -> dict[str, list[str]]:
    """Map each identity of a folder to the command lines that run as it."""
    cloud, ci, docker = (answers[name] for name in ("cloud", "ci", "docker"))
    lines = plan(cloud, docker=docker, serves=answers["serving"] != "none")
    deploys = "deploy" in lines
    if cloud == "azure" and not docker:
        lines = lines | {"train": [*lines["train"], "az ml job create, with code"]}
    found: dict[str, list[str]] = {}
    if cloud == "aws":
        found["training"] = ["SageMaker runs a job"]
        if deploys:
            found["service"] = ["Lambda runs a function"]
        if ci != "none":
            found |= {"data": ["dvc pull"], "train": lines["train"]}
            found |= {"deploy": lines["deploy"]} if deploys else {}
    elif cloud == "gcp":
        found["training"] = ["Vertex AI runs a job" if docker else "a machine trains"]
        if docker or deploys:
            found["build"] = ["Cloud Build builds"]
        if deploys:
            found["service"] = ["Cloud Run runs a service"]
        if ci != "none":
            found |= {"data": ["dvc pull", "a token of a pipeline"], "ci train": lines["train"]}
            found |= {"ci production": lines["deploy"]} if deploys else {}
    else:
        found["training"] = ["Azure ML runs a job", *["Azure ML pulls an image"] * docker]
        people = [*lines["train"], *lines["fetch"], "dvc push"]
        if deploys:
            found["service"] = ["Container Apps runs a service"]
            people.append("az keyvault secret set")
        found["people"] = people
        deploy = lines["deploy"] if deploys else []
        if ci == "github":
            found |= {"github data": ["dvc pull"], "github training": lines["train"]}
            found |= {"github production": deploy} if deploys else {}
        elif ci == "gitlab":
            found["gitlab"] = ["dvc pull", *lines["train"], *deploy]
    return found


def needs(cloud: str, line: str) -> set[str]:
    """Return what a command line asks of the provider: the longest row that it begins with."""
    rows = [row for row in NEEDS[cloud] if re.match(rf"{re.escape(row)}(\b|$|(?<=[-:]))", line)]
    assert rows, f"NEEDS[{cloud!r}] has no row for: {line}"
    return set(NEEDS[cloud][max(rows, key=len)].split())


def unquoted(values: list[str]) -> list[str]:
    return [value.strip('"') for value in values]


def production(texts: Mapping[str, str]) -> Folder:
    """Return the Terraform files with the environment's name in the place of its variable."""
    return {
        path: text.replace("(var.environment)", "production").replace(
            "var.environment", '"production"'
        )
        for path, text in terraform_of(texts).items()
    }


def aws_grants(texts: Folder) -> dict[str, Grants]:
    documents = {
        labels[1]: body
        for _, labels, body in blocks(texts, "data")
        if labels[0] == "aws_iam_policy_document"
    }

    def statements(name: str) -> list[dict[str, Any]]:
        sources = documents[name].get("source_policy_documents", [])
        named = re.findall(r"policy_document\.(\w+)", " ".join(sources))
        own = documents[name].get("statement", [])
        return [*own, *(row for one in named for row in statements(one))]

    found = {}
    for name, body in documents.items():
        if "for_each" in body or any("principals" in one for one in statements(name)):
            continue  # a part of others, or a resource's own policy
        grants = found[{"pull_data": "data"}.get(name, name)] = Grants()
        for one in statements(name):
            actions = unquoted(one["actions"])
            grants.listed |= set(actions)
            if "*" in unquoted(one["resources"]) and "condition" not in one:
                grants.everywhere |= set(actions)
            grants.everywhere |= {action for action in actions if "*" in action}
    return found


def gcp_grants(texts: Folder) -> dict[str, Grants]:
    resources = {labels: body for _, labels, body in blocks(texts, "resource")}
    environments = (
        re.findall(r"^    (\w+) += ", texts["ci.tf"].split("}")[0], re.MULTILINE)
        if "ci.tf" in texts
        else []
    )
    found: dict[str, Grants] = {}
    for (type_, _), body in resources.items():
        member = body.get("member", "").strip('"')
        if not type_.endswith("_iam_member") or member in {"allUsers", "${each.key}"}:
            continue
        if member.startswith("principalSet:"):
            who = ["data"]
        elif each := re.search(r'\.ci\[(each\.key|\\?"\w+\\?")\]', member):
            one = each[1].strip('\\"')
            who = environments if one == "each.key" else [one]
            who = [f"ci {name.replace('training', 'train')}" for name in who]
        else:
            who = re.findall(r"google_service_account\.(\w+)\.", member)
        assert who, f"{type_}: whose is {member}?"
        role = body["role"].strip('"')
        custom = re.search(r"custom_role\.(\w+)\.", role)
        for name in who:
            grants = found.setdefault(name, Grants())
            if custom:
                listed = resources["google_project_iam_custom_role", custom[1]]["permissions"]
                grants.listed |= set(unquoted(listed))
                continue
            scope = type_.removeprefix("google_").removesuffix("_iam_member")
            grants.roles.add((role, scope))
            if scope == "project" and "condition" not in body:
                grants.everywhere.add(role)
    return found


def azure_grants(texts: Folder) -> dict[str, Grants]:
    resources = {labels: body for _, labels, body in blocks(texts, "resource")}
    found: dict[str, Grants] = {}
    for (type_, label), body in resources.items():
        if type_ != "azurerm_role_assignment":
            continue
        principal = body["principal_id"]
        if "each.value" in principal:
            who = ["people"]
        elif named := re.search(r'identity\.(\w+)\[\\?"?([\w.]+)\\?"?\]', principal):
            names = re.findall(r'"(\w+)"', json.dumps(body.get("for_each", "")).replace("\\", ""))
            who = [f"{named[1]} {one}" for one in (names if named[2] == "each.key" else [named[2]])]
        else:
            who = re.findall(r"identity\.(\w+)\.", principal)
        for name in who:
            grants = found.setdefault(name, Grants())
            if "role_definition_name" in body:
                grants.roles.add((body["role_definition_name"].strip('"'), label))
            else:
                (permissions,) = resources["azurerm_role_definition", "deploy"]["permissions"]
                grants.listed |= set(unquoted(permissions["actions"]))
            if not re.match(r"\$\{azurerm_(?!resource_group)", body["scope"]):
                grants.everywhere.add(label)
    return found


GRANTS = {"aws": aws_grants, "azure": azure_grants, "gcp": gcp_grants}


def in_role(cloud: str, role: str, permission: str) -> bool:
    """Tell whether a predefined role holds a permission."""
    held = ROLES[cloud][role]
    if cloud == "gcp":
        return permission in held.split()
    allowed, denied = (
        any(fnmatch.fnmatchcase(permission, one) for one in held[kind])
        for kind in ("allowed", "denied")
    )
    return allowed and not denied


# What an identity holds beyond what its commands need, and why. Those of Google's that are listed
# for a project's whole width have no narrower place
ACCEPTED: dict[tuple[str, str, str], str] = {
    ("aws", "train", "ecr:GetAuthorizationToken"): "is for no resource",
    ("aws", "train", "ecr:GetDownloadUrlForLayer"): "`deploy`, which has the same policy, needs it",
    ("aws", "deploy", "ecr:GetAuthorizationToken"): "is for no resource",
    ("aws", "training", "ecr:GetAuthorizationToken"): "is for no resource",
    ("gcp", "build", "roles/logging.logWriter"): "a log belongs to the project",
    ("gcp", "build", "roles/artifactregistry.writer"): "Google makes the functions' repository",
    ("gcp", "ci production", "roles/cloudfunctions.developer"): "it makes the function",
    ("gcp", "ci train", "aiplatform.customJobs.get"): "whether gcloud asks for it is not published",
}  # fmt: skip


def problems(answers: Answers, texts: Mapping[str, str]) -> dict[str, str]:
    """Say which rights the identities of a folder lack, and which they hold without need."""
    cloud = answers["cloud"]
    held, commands = GRANTS[cloud](production(texts)), commands_of(answers)
    found = {f"{cloud}, {name}": "is no row of the table" for name in held.keys() - commands}
    for name, lines in commands.items():
        grants = held.get(name, Grants())
        needed = set().union(*(needs(cloud, line) for line in lines))
        by_role = {
            role: {one for one in needed if in_role(cloud, role, one)} for role, _ in grants.roles
        }
        missing = needed - grants.listed - set().union(*by_role.values())
        found |= {f"{cloud}, {name} lacks {one}": "" for one in missing}
        spare = (grants.listed - needed) | {role for role, some in by_role.items() if not some}
        for kind, many in (("needs no", spare), ("has everywhere", grants.everywhere)):
            found |= {
                f"{cloud}, {name} {kind} {one}": ""
                for one in many
                if (cloud, name, one) not in ACCEPTED
            }
    return found


@pytest.mark.parametrize("name", infra())
def test_each_identity_may_do_what_its_commands_need_and_no_more(name: str) -> None:
    assert problems(*infra()[name]) == {}


def test_what_is_accepted_is_there() -> None:
    seen = set()
    for answers, texts in infra().values():
        cloud = answers["cloud"]
        for name, grants in GRANTS[cloud](production(texts)).items():
            seen |= {(cloud, name, one) for one in grants.everywhere | grants.listed}
    assert ACCEPTED.keys() <= seen


# A folder, an old and a new text, and what is found
FAULTS = {
    "aws lacks": (
        "aws-github-fastapi-docker", '"lambda:GetFunction", ', "", "deploy lacks lambda:GetFunction"
    ),
    "aws asks": (
        "aws-github-fastapi-docker", '"lambda:InvokeFunction"', '"lambda:GetFunction"',
        "deploy lacks lambda:InvokeFunction",
    ),
    "aws spare": (
        "aws-github-fastapi-docker", '"iam:PassRole"', '"iam:PassRole", "iam:GetRole"',
        "train needs no iam:GetRole",
    ),
    "aws wildcard": (
        "aws-github-fastapi-docker", '"sagemaker:CreateTrainingJob"', '"sagemaker:*"',
        "train has everywhere sagemaker:*",
    ),
    "aws every resource": (
        "aws-none-fastapi-docker", "[aws_s3_bucket.data.arn]", '["*"]',
        "training has everywhere s3:ListBucket",
    ),
    "gcp lacks": (
        "gcp-github-fastapi", '    "compute.zones.get",\n', "", "ci train lacks compute.zones.get"
    ),
    "gcp spare": (
        "gcp-github-fastapi-docker", '"aiplatform.customJobs.get",',
        '"aiplatform.customJobs.get",\n    "aiplatform.customJobs.cancel",',
        "ci train needs no aiplatform.customJobs.cancel",
    ),
    "gcp role": (
        "gcp-github-fastapi-docker", "roles/run.developer", "roles/storage.objectViewer",
        "ci production lacks run.services.update",
    ),
    "gcp project": (
        "gcp-none-fastapi-docker",
        'resource "google_secret_manager_secret_iam_member" "service" {\n',
        'resource "google_project_iam_member" "service" {\n',
        "service has everywhere roles/secretmanager.secretAccessor",
    ),
    "azure lacks": (
        "azure-gitlab-fastapi-docker", '      "Microsoft.App/containerApps/write",\n', "",
        "gitlab lacks Microsoft.App/containerApps/write",
    ),
    "azure role": (
        "azure-github-fastapi-docker", '"Storage Blob Data Reader"', '"AcrPull"',
        "github data needs no AcrPull",
    ),
    "azure group": (
        "azure-none-fastapi-docker", "scope                = azurerm_key_vault.keys.id",
        "scope                = azurerm_resource_group.project.id",
        "service has everywhere service_keys",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("folder", "old", "new", "says"), FAULTS.values(), ids=FAULTS)
def test_a_planted_right_is_found(folder: str, old: str, new: str, says: str) -> None:
    answers, texts = infra()[folder]
    assert any(old in text for text in texts.values())
    faulty = {path: text.replace(old, new) for path, text in texts.items()}
    assert f"{answers['cloud']}, {says}" in problems(answers, faulty)


def test_a_training_job_overwrites_no_data() -> None:
    """It reads the whole bucket, and writes below the folder of runs."""
    seen = set()
    for name, (_, texts) in infra().items():
        for _, (type_, label), body in blocks(terraform_of(texts), "resource"):
            if type_ == "google_storage_bucket_iam_member" and label.startswith("training"):
                condition = body.get("condition", [{"expression": ""}])[0]["expression"]
                where = re.findall(r"/objects/(\w+/)'\)\"$", condition)
                seen.add((name.partition("-")[0], body["role"].strip('"'), *where))
    assert seen == {
        ("gcp", "roles/storage.objectViewer"),
        ("gcp", "roles/storage.objectUser", "runs/"),
    }
