"""The tokens that a cloud accepts: as GitHub and GitLab sign them, by the Terraform files.

Amazon's patterns and Azure's subjects are evaluated by Terraform, Google's mappings and conditions
by an interpreter of their language.
"""

import functools
import json
import re
import tempfile
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import celpy
import pytest
from bakery import bake
from terraform import blocks, parsed
from tools import QUIET, missing_terraform, printed, run

Claims = Mapping[str, str]
NEEDS_TERRAFORM = pytest.mark.skipif(bool(missing_terraform()), reason=missing_terraform())


def github(context: str, *, ids: bool = True, repository: str = "ada/net") -> Claims:
    """Return the claims of a job's token; GitHub numbers repositories since July 2026."""
    owner, name = repository.split("/")
    subject = f"{owner}@1/{name}@2" if ids else repository
    claims = {
        "sub": f"repo:{subject}:{context}",
        "repository": repository,
        "repository_id": "2",
        "ref": "refs/heads/main",
    }
    kind, _, value = context.partition(":")
    return claims | ({"environment": value} if kind == "environment" else {})


def gitlab(
    ref: str, *, protected: bool = False, tag: bool = False, path: str = "ada/net"
) -> Claims:
    """Return the claims of a job's token: the project is a merge request's own, as in a fork."""
    kind = "tag" if tag else "branch"
    return {
        "sub": f"project_path:{path}:ref_type:{kind}:ref:{ref}",
        "project_path": path,
        "project_id": "2",
        "ref": ref,
        "ref_type": kind,
        "ref_protected": str(protected).lower(),
    }


MAIN, BRANCH, REQUEST = "ref:refs/heads/main", "ref:refs/heads/" + "long-" * 30, "pull_request"
TRAINING, PRODUCTION = "environment:training", "environment:production"
# Tokens by visitor, and the rights that each cloud gives them
GITHUB: dict[str, tuple[Claims, dict[str, str]]] = {
    "main": (github(MAIN), {"aws": "data", "azure": "data", "gcp": "data"}),
    "branch": (github(BRANCH), {"aws": "data", "azure": "", "gcp": "data"}),
    "pull request": (github(REQUEST), {"aws": "data", "azure": "data", "gcp": "data"}),
    "training": (
        github(TRAINING),
        {"aws": "data training", "azure": "training", "gcp": "data training"},
    ),
    "production": (
        github(PRODUCTION),
        {"aws": "data production", "azure": "production", "gcp": "data production"},
    ),
    "another environment": (
        github("environment:staging"),
        {"aws": "data", "azure": "", "gcp": "data"},
    ),
    "training, without numbers": (
        github(TRAINING, ids=False),
        {"aws": "data training", "gcp": "data training"},
    ),
    "another repository": (
        github(TRAINING, repository="ada/other"),
        {"aws": "", "azure": "", "gcp": ""},
    ),
    "another owner": (github(TRAINING, repository="eve/net"), {"aws": "", "azure": "", "gcp": ""}),
    "a longer name": (
        github(TRAINING, repository="ada/net-2", ids=False),
        {"aws": "", "azure": "", "gcp": ""},
    ),
}
GITLAB: dict[str, tuple[Claims, dict[str, str]]] = {
    "main": (
        gitlab("main", protected=True),
        dict.fromkeys(("aws", "azure", "gcp"), "data training production"),
    ),
    "main, unprotected": (gitlab("main"), {"gcp": "data"}),
    "branch": (gitlab("long-" * 30), {"aws": "data", "azure": "", "gcp": "data"}),
    "tag": (gitlab("main", tag=True, protected=True), {"aws": "data", "azure": "", "gcp": "data"}),
    "fork": (gitlab("main", path="eve/net"), {"aws": "", "azure": "", "gcp": ""}),
}
VISITS = [
    pytest.param(
        ci, cloud, claims, may, id=f"{ci}-{cloud}-{who}",
        marks=[] if cloud == "gcp" else NEEDS_TERRAFORM,
    )
    for ci, visitors in (("github", GITHUB), ("gitlab", GITLAB))
    for who, (claims, clouds) in visitors.items()
    for cloud, may in clouds.items()
]  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """Map a service and a cloud to the file that names the tokens which get in."""
    found = {}
    for ci in ("github", "gitlab"):
        for cloud in ("aws", "azure", "gcp"):
            answers = {"project_slug": "net", "repo_owner": "ada", "ci": ci, "cloud": cloud}
            path = bake(answers, tmp_path_factory.mktemp("bake")).path
            found[ci, cloud] = (path / "infra" / cloud / f"{ci}.tf").read_text("utf-8")
    return found


@functools.cache
def subjects(text: str) -> dict[str, Any]:
    """Let Terraform evaluate the locals of a file."""
    (local,) = re.findall(r"^locals \{\n.*?^\}\n", text, re.MULTILINE | re.DOTALL)
    variable = 'variable "repository" {\n  default = "repo:ada@1/net@2"\n}\n'
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.tf").write_text(local + variable, encoding="utf-8")
        expression = "jsonencode(local.subjects)"
        done = run("terraform", "console", folder=Path(folder), typed=expression, **QUIET)
    assert done.returncode == 0, printed(done)
    return json.loads(json.loads(done.stdout))


def aws(text: str, claims: Claims) -> set[str]:
    roles = subjects(text)
    names = {"data": "data", "train": "training", "deploy": "production"}
    return {
        names[role]
        for role, patterns in roles.items()
        if any(fnmatchcase(claims["sub"], pattern) for pattern in patterns)
    }


def azure(text: str, claims: Claims) -> set[str]:
    if "local.subjects" in text:
        known = subjects(text).values()
        return {one["identity"] for one in known if one["subject"] == claims["sub"]}
    resources = {labels: body for _, labels, body in blocks({"a.tf": text}, "resource")}
    subject = resources["azurerm_federated_identity_credential", "gitlab"]["subject"]
    let_in = subject.strip('"') == claims["sub"]
    return {"data", "training", "production"} if let_in else set()


def cel(expression: str, claims: Claims) -> Any:
    """Evaluate an expression of Google's on a token."""
    environment = celpy.Environment()
    program = environment.program(environment.compile(expression))
    return program.evaluate({"assertion": celpy.json_to_cel(dict(claims))})


def gcp(text: str, claims: Claims) -> set[str]:
    (repository,) = [local["repository"].strip('"') for local in parsed(text)["locals"]]
    resources = {labels: body for _, labels, body in blocks({"a.tf": text}, "resource")}

    def words(value: str) -> str:
        return value.strip('"').replace("${local.repository}", repository)

    provider = resources["google_iam_workload_identity_pool_provider", "this"]
    if not cel(words(provider["attribute_condition"]), claims):
        return set()
    mapped = {
        key.strip('"'): cel(words(expression), claims)
        for key, expression in provider["attribute_mapping"].items()
    }
    assert 0 < len(mapped.pop("google.subject")) <= 127
    sets = {f"{key}/{value}" for key, value in mapped.items()}

    def let_in(kind: str, name: str, environment: str = "") -> bool:
        member = words(resources[kind, name]["member"]).replace("${each.key}", environment)
        assert member.startswith("principalSet://")
        return member.partition("}/")[2] in sets

    accounts = [name for kind, name in resources if kind == "google_service_account_iam_member"]
    allowed = {
        environment
        for environment in ("training", "production")
        if any(let_in("google_service_account_iam_member", name, environment) for name in accounts)
    }
    if let_in("google_storage_bucket_iam_member", "repository"):
        allowed.add("data")
    return allowed


@pytest.mark.parametrize(("ci", "cloud", "claims", "may"), VISITS)
def test_a_token_opens_what_it_should(
    ci: str,
    cloud: str,
    claims: Claims,
    may: str,
    files: dict[tuple[str, str], str],
) -> None:
    judge = {"aws": aws, "azure": azure, "gcp": gcp}[cloud]
    assert judge(files[ci, cloud], claims) == set(may.split())
