"""The tokens that a cloud accepts: as GitHub and GitLab sign them, by the Terraform files.

Amazon's policies and Azure's subjects are evaluated by Terraform, Google's mappings and conditions
by an interpreter of their language. Tokens are those of the project `ada/net` (number 2, its owner
has number 1) and those of people who want its rights.
"""

import functools
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import celpy
import pytest
from bakery import bake
from terraform import blocks
from tools import QUIET, missing_terraform, printed, run

Claims = Mapping[str, str]
NEEDS_TERRAFORM = pytest.mark.skipif(bool(missing_terraform()), reason=missing_terraform())
CLOUDS = ("aws", "azure", "gcp")
NUMBERS = {
    "github_owner_id": "1",
    "github_repository_id": "2",
    "gitlab_namespace_id": "1",
    "gitlab_project_id": "2",
}


@dataclass(frozen=True)
class GitHub:
    """A job of a workflow.

    Attributes:
        context: What follows the repository in a subject, if it has no environment.
        environment: The job's, or nothing.
        raw: Whether a colon in an environment's name stays one; GitHub writes %3A.
    """

    context: str = "ref:refs/heads/main"
    environment: str = ""
    ref: str = "refs/heads/main"
    protected: bool = True
    event: str = "push"
    repository: str = "ada/net"
    owner_id: str = "1"
    repository_id: str = "2"
    raw: bool = False

    def forms(self, cloud: str) -> Iterator[Claims]:
        """Yield the claims, with each subject that the cloud may be shown."""
        owner, name = self.repository.split("/")
        environment = self.environment if self.raw else self.environment.replace(":", "%3A")
        context = f"environment:{environment}" if environment else self.context
        protected = str(self.protected).lower()
        claims = {
            "aud": "sts.amazonaws.com" if cloud == "aws" else "api://AzureADTokenExchange",
            "event_name": self.event,
            "ref": self.ref,
            "ref_protected": protected,
            "repository": self.repository,
            "repository_id": self.repository_id,
            "repository_owner": owner,
            "repository_owner_id": self.owner_id,
            "run_id": "12345678901",
        }
        if self.environment:
            claims["environment"] = self.environment
        by_name = f"repo:{self.repository}:{context}"
        by_both = f"repo:{owner}@{self.owner_id}/{name}@{self.repository_id}:{context}"
        by_number = f"repository_owner_id:{self.owner_id}:repository_id:{self.repository_id}"
        asked_for = f"{by_number}:{context}:ref_protected:{protected}"  # docs/azure.md asks for it
        for subject in [asked_for] if cloud == "azure" else [by_name, by_both]:
            yield claims | {"sub": subject}


@dataclass(frozen=True)
class GitLab:
    """A job of a pipeline. In one of a merge request, all is of the project that it comes from."""

    ref: str = "main"
    kind: str = "branch"
    protected: bool = True
    source: str = "push"
    environment: str = ""
    path: str = "ada/net"
    namespace_id: str = "1"
    project_id: str = "2"

    def forms(self, cloud: str) -> Iterator[Claims]:
        """Yield the claims, with each subject that the cloud may be shown."""
        protected = str(self.protected).lower()
        claims = {
            "aud": "https://gitlab.com",
            "namespace_id": self.namespace_id,
            "pipeline_id": "12345678901",
            "pipeline_source": self.source,
            "project_id": self.project_id,
            "project_path": self.path,
            "ref": self.ref,
            "ref_protected": protected,
            "ref_type": self.kind,
        }
        if self.environment:
            claims["environment"] = self.environment
        end = f"ref_type:{self.kind}:ref:{self.ref}"
        by_number = f"project_id:{self.project_id}"
        asked_for = f"{by_number}:ref_type:{self.kind}:ref_protected:{protected}:ref:{self.ref}"
        subjects = [f"project_path:{self.path}:{end}", f"{by_number}:{end}"]
        for subject in [asked_for] if cloud == "azure" else subjects:
            yield claims | {"sub": subject}


def everywhere(rights: str, **others: str) -> dict[str, str]:
    """Return the rights that each cloud gives, those of one replaced by another's."""
    return dict.fromkeys(CLOUDS, rights) | others


LONG, MERGE = "long-" * 30, "refs/pull/7/merge"
ELSEWHERE: dict[str, Any] = {"ref": "refs/heads/x", "protected": False}
# Jobs of the project, and the rights that they have
GITHUB: dict[str, tuple[GitHub, dict[str, str]]] = {
    "main": (GitHub(), everywhere("data")),
    "main, unprotected": (GitHub(protected=False), everywhere("data")),
    "pull request": (
        GitHub("pull_request", ref=MERGE, protected=False, event="pull_request"),
        everywhere("data"),
    ),
    "evaluation": (GitHub(environment="evaluation"), everywhere("data")),
    "evaluation of a branch": (
        GitHub(environment="evaluation", **ELSEWHERE),
        everywhere("data"),
    ),
    "training": (
        GitHub(environment="training", event="workflow_dispatch"),
        everywhere("training", gcp="data training"),
    ),
    "production": (
        GitHub(environment="production"),
        everywhere("production", gcp="data production"),
    ),
    "branch": (
        GitHub(f"ref:refs/heads/{LONG}", ref=f"refs/heads/{LONG}", protected=False),
        everywhere("", gcp="data"),
    ),
    "another environment": (GitHub(environment="staging"), everywhere("", gcp="data")),
}
GITLAB: dict[str, tuple[GitLab, dict[str, str]]] = {
    "main": (
        GitLab(environment="production"),
        everywhere("data training production", gcp="data production"),
    ),
    "training": (
        GitLab(environment="training"),
        everywhere("data training production", gcp="data training"),
    ),
    "main, no environment": (GitLab(), everywhere("data training production", gcp="data")),
    "branch": (GitLab(LONG, protected=False), everywhere("data", azure="")),
    "merge request": (
        GitLab("x", protected=False, source="merge_request_event"),
        everywhere("data", azure=""),
    ),
    # Azure can't see whose it is: docs/azure.md says so
    "the project, given to somebody": (
        GitLab(path="eve/net", namespace_id="5"),
        everywhere("", azure="data training production"),
    ),
}
# What people of the project can do who may push, but not to main: they get no more than to read
INSIDE: dict[str, GitHub | GitLab] = {
    "production on another branch": GitHub(environment="production", **ELSEWHERE),
    "training on another branch": GitHub(environment="training", **ELSEWHERE),
    "production in a pull request": GitHub(
        environment="production", ref=MERGE, protected=False, event="pull_request"
    ),
    "main as a tag": GitHub(environment="production", ref="refs/tags/main", protected=False),
    "refs/heads/main as a tag": GitHub(
        environment="production", ref="refs/tags/refs/heads/main", protected=False
    ),
    "a branch named refs/heads/main": GitHub(
        environment="production", ref="refs/heads/refs/heads/main", protected=False
    ),
    "a branch named main/environment:production": GitHub(
        "ref:refs/heads/main/environment:production",
        ref="refs/heads/main/environment:production",
        protected=False,
    ),
    "a branch that ends like the environment": GitHub(
        "ref:refs/heads/x:environment:production:ref_protected:true",
        ref="refs/heads/x:environment:production:ref_protected:true",
        protected=False,
    ),
    "an environment named like what follows it": GitHub(
        environment="production:ref_protected:true", raw=True, **ELSEWHERE
    ),
    "an environment below the environment": GitHub(environment="production/x"),
    "main, no environment": GitHub(),
    "GitLab: main, unprotected": GitLab(protected=False, environment="production"),
    "GitLab: main as a tag": GitLab(kind="tag", environment="production"),
    "GitLab: another protected branch": GitLab("release", environment="production"),
    "GitLab: a branch below main": GitLab("main/x"),
    "GitLab: a branch that ends like main": GitLab(
        "x:ref_protected:true:ref:main", protected=False
    ),
    "GitLab: a branch named main:ref_protected:true": GitLab(
        "main:ref_protected:true", protected=False
    ),
    "GitLab: production on another branch": GitLab("x", protected=False, environment="production"),
}  # fmt: skip
# What others can do: they get nothing
MAIN: dict[str, Any] = {"environment": "production"}
GITHUB_JOBS: dict[str, dict[str, Any]] = {
    "production": MAIN,
    "training": {"environment": "training", "event": "workflow_dispatch"},
    "main": {},
    "pull request": {"context": "pull_request", "ref": MERGE, "protected": False},
}
GITHUB_OTHERS: dict[str, dict[str, Any]] = {
    "the repository's name, anew": {"repository_id": "99"},
    "both names, anew": {"owner_id": "98", "repository_id": "99"},
    "another repository of the owner": {"repository": "ada/other", "repository_id": "3"},
    "a repository whose name starts alike": {"repository": "ada/net-2", "repository_id": "3"},
    "a number that starts alike": {"repository_id": "22"},
    "a fork": {"repository": "eve/net", "owner_id": "5", "repository_id": "6"},
    "names with numbers": {"repository": "ada@1/net@2", "owner_id": "98", "repository_id": "99"},
    "the repository, given to somebody": {"repository": "eve/net", "owner_id": "5"},
}
GITLAB_JOBS: dict[str, dict[str, Any]] = {
    "main": MAIN,
    "merge request": {"ref": "main", "protected": False, "source": "merge_request_event"},
}
GITLAB_OTHERS: dict[str, dict[str, Any]] = {
    "the project's name, anew": {"project_id": "99"},
    "both names, anew": {"namespace_id": "98", "project_id": "99"},
    "another project of the group": {"path": "ada/other", "project_id": "3"},
    "a project whose name starts alike": {"path": "ada/net-2", "project_id": "3"},
    "a number that starts alike": {"project_id": "22"},
    "a fork": {"path": "eve/net", "namespace_id": "5", "project_id": "6"},
}
OUTSIDE: dict[str, GitHub | GitLab] = {
    f"{who}: {what}": GitHub(**other, **job)
    for who, other in GITHUB_OTHERS.items()
    for what, job in GITHUB_JOBS.items()
} | {
    f"GitLab: {who}: {what}": GitLab(**other, **job)
    for who, other in GITLAB_OTHERS.items()
    for what, job in GITLAB_JOBS.items()
}


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """Map a service and a cloud to the files that name the tokens which get in."""
    found = {}
    more = {"aws": ["pipelines.tf"], "gcp": ["ci.tf"]}
    for ci in ("github", "gitlab"):
        for cloud in CLOUDS:
            answers = {"project_slug": "net", "repo_owner": "ada", "ci": ci, "cloud": cloud}
            folder = bake(answers, tmp_path_factory.mktemp("bake")).path / "infra" / cloud
            names = [f"{ci}.tf", "variables.tf", *more.get(cloud, [])]
            found[ci, cloud] = "\n".join((folder / name).read_text("utf-8") for name in names)
    return found


def account(baked: Mapping[tuple[str, str], str], environment: str) -> dict[tuple[str, str], str]:
    """Return the files as the account of an environment has them."""
    named = f'"{environment}"'
    return {key: text.replace("var.environment", named) for key, text in baked.items()}


@pytest.fixture(scope="module")
def files(baked: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """Return the files as the account of production has them."""
    return account(baked, "production")


def numbers_of(text: str) -> dict[str, str]:
    """Return the variables with the numbers that the CI service gave, as a file declares them."""
    return {name: value for name, value in NUMBERS.items() if f'variable "{name}"' in text}


@functools.cache
def evaluated(text: str, more: str, expression: str) -> Any:
    """Let Terraform evaluate an expression on the locals that name no resource."""
    found = re.findall(r"^locals \{\n.*?^\}\n", text, re.MULTILINE | re.DOTALL)
    known = [one for one in found if not re.search(r"\baws_\w+\.|\bdata\.", one)]
    variables = [
        f'variable "{name}" {{\n  default = "{value}"\n}}\n'
        for name, value in numbers_of(text).items()
    ]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.tf").write_text("".join([*known, *variables, more]), encoding="utf-8")
        typed = f"jsonencode({expression})"
        done = run("terraform", "console", folder=Path(folder), typed=typed, **QUIET)
    assert done.returncode == 0, printed(done)
    return json.loads(json.loads(done.stdout))


def policies(text: str) -> dict[str, Any]:
    """Return the policy of trust of each role, whose principal is left out."""
    (policy,) = re.findall(
        r"^  assume_role_policy = jsonencode\((\{\n.*?^  \})\)$", text, re.MULTILINE | re.DOTALL
    )
    policy = re.sub(r"coalesce\(.*\)", '"the provider"', policy).replace("each.value", "trusted")
    each = f"{{ for role, trusted in local.trusted : role => {policy} }}"
    return evaluated(text, f"locals {{\n  policies = {each}\n}}\n", "local.policies")


def fulfilled(condition: Mapping[str, Any], claims: Claims, issuer: str) -> bool:
    """Tell whether claims fulfil a condition of Amazon's: a claim that is missing does not."""
    tests = {
        "StringEquals": lambda value, wanted: value == wanted,
        "StringLike": lambda value, wanted: re.fullmatch(
            "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in wanted),
            value,
            re.DOTALL,
        ),
    }
    for operator, keys in condition.items():
        for key, wanted in keys.items():
            value = claims.get(key.removeprefix(f"{issuer}:"))
            values = [wanted] if isinstance(wanted, str) else wanted
            if value is None or not any(tests[operator](value, one) for one in values):
                return False
    return True


def aws(text: str, claims: Claims) -> set[str]:
    issuer = "token.actions.githubusercontent.com" if "token.actions" in text else "gitlab.com"
    names = {"data": "data", "train": "training", "deploy": "production"}
    rights = set()
    for role, policy in policies(text).items():
        (statement,) = policy["Statement"]
        assert statement["Effect"] == "Allow"
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        keys = {key for operator in statement["Condition"].values() for key in operator}
        assert {f"{issuer}:aud", f"{issuer}:sub"} <= keys
        if fulfilled(statement["Condition"], claims, issuer):
            rights.add(names[role])
    return rights


def azure(text: str, claims: Claims) -> set[str]:
    resources = {labels: body for _, labels, body in blocks({"a.tf": text}, "resource")}
    if "local.subjects" in text:
        credential = resources["azurerm_federated_identity_credential", "github"]
        assert credential["subject"] == "${each.value.subject}"
        known = evaluated(text, "", "local.subjects").values()
        return {one["identity"] for one in known if one["subject"] == claims["sub"]}
    credential = resources["azurerm_federated_identity_credential", "gitlab"]
    let_in = evaluated(text, "", credential["subject"]) == claims["sub"]
    return {"data", "training", "production"} if let_in else set()


def cel(expression: str, claims: Claims) -> Any:
    """Evaluate an expression of Google's on a token."""
    environment = celpy.Environment()
    program = environment.program(environment.compile(expression))
    return program.evaluate({"assertion": celpy.json_to_cel(dict(claims))})


def mapped(text: str, claims: Claims) -> dict[str, str]:
    """Return the attributes that Google gives to who has a token, or nothing: it refuses it."""
    resources = {labels: body for _, labels, body in blocks({"a.tf": text}, "resource")}
    provider = resources["google_iam_workload_identity_pool_provider", "this"]
    try:
        if not cel(filled(provider["attribute_condition"], text), claims):
            return {}
    except celpy.CELEvalError:  # a claim is missing
        return {}
    return {
        key.strip('"'): cel(filled(expression, text), claims)
        for key, expression in provider["attribute_mapping"].items()
    }


def filled(value: str, text: str) -> str:
    value = value.strip('"')
    for name, number in numbers_of(text).items():
        value = value.replace(f"${{var.{name}}}", number)
    return value


def gcp(text: str, claims: Claims) -> set[str]:
    resources = {labels: body for _, labels, body in blocks({"a.tf": text}, "resource")}
    attributes = mapped(text, claims)
    if not attributes:
        return set()
    assert 0 < len(attributes.pop("google.subject")) <= 127
    sets = {f"{key}/{value}" for key, value in attributes.items()}

    def let_in(kind: str, name: str, environment: str = "") -> bool:
        member = filled(resources[kind, name]["member"], text).replace("${each.key}", environment)
        assert member.startswith("principalSet://")
        return member.partition("}/")[2] in sets

    accounts = [
        name
        for (kind, name), body in resources.items()
        if kind == "google_service_account_iam_member" and body["member"].startswith('"')
    ]
    environments = re.findall(r'^    \(?"?(\w+)"?\)? += "(?:deploy|train)"$', text, re.MULTILINE)
    assert "training" in environments
    assert len(environments) == 2
    allowed = {
        environment
        for environment in environments
        if any(let_in("google_service_account_iam_member", name, environment) for name in accounts)
    }
    if let_in("google_storage_bucket_iam_member", "repository"):
        allowed.add("data")
    return allowed


JUDGES = {"aws": aws, "azure": azure, "gcp": gcp}
Files = dict[tuple[str, str], str]


def rights(files: Files, cloud: str, job: GitHub | GitLab) -> list[set[str]]:
    """Return what each form of a job's token opens."""
    text = files["github" if isinstance(job, GitHub) else "gitlab", cloud]
    return [JUDGES[cloud](text, claims) for claims in job.forms(cloud)]


IN_EACH_CLOUD = [
    pytest.param(cloud, marks=[] if cloud == "gcp" else NEEDS_TERRAFORM) for cloud in CLOUDS
]


@pytest.mark.parametrize("cloud", IN_EACH_CLOUD)
@pytest.mark.parametrize(
    ("job", "may"),
    [
        pytest.param(job, may, id=f"{ci}-{who}")
        for ci, jobs in (("github", GITHUB), ("gitlab", GITLAB))
        for who, (job, may) in jobs.items()
    ],
)
def test_a_token_opens_what_it_should(
    job: GitHub | GitLab, may: dict[str, str], cloud: str, files: Files
) -> None:
    found = rights(files, cloud, job)
    assert found == [set(may[cloud].split())] * len(found)


@pytest.mark.parametrize("cloud", IN_EACH_CLOUD)
@pytest.mark.parametrize("kind", [GitHub, GitLab])
@pytest.mark.parametrize("owner", ["production", "staging"])
@pytest.mark.parametrize("environment", ["production", "staging"])
def test_staging_and_production_let_each_other_not_in(
    environment: str, owner: str, kind: type[GitHub | GitLab], cloud: str, baked: Any
) -> None:
    may = rights(account(baked, owner), cloud, kind(environment=environment))
    # Amazon and Azure see no environment of GitLab's: the pages say so
    lets_in = environment == owner or (kind is GitLab and cloud != "gcp")
    assert [bool(found - {"data", "training"}) for found in may] == [lets_in] * len(may)


@pytest.mark.parametrize("cloud", IN_EACH_CLOUD)
@pytest.mark.parametrize("job", INSIDE.values(), ids=INSIDE)
def test_who_may_not_push_to_main_writes_nothing(
    job: GitHub | GitLab, cloud: str, files: Files
) -> None:
    assert all(found <= {"data"} for found in rights(files, cloud, job))


@pytest.mark.parametrize("cloud", IN_EACH_CLOUD)
@pytest.mark.parametrize("job", OUTSIDE.values(), ids=OUTSIDE)
def test_others_get_nothing(job: GitHub | GitLab, cloud: str, files: Files) -> None:
    assert not any(rights(files, cloud, job))


@pytest.mark.parametrize("cloud", IN_EACH_CLOUD)
@pytest.mark.parametrize("job", [GitHub(**MAIN), GitLab(**MAIN)], ids=["github", "gitlab"])
def test_a_token_without_a_number_gets_nothing(
    job: GitHub | GitLab, cloud: str, files: Files
) -> None:
    text = files["github" if isinstance(job, GitHub) else "gitlab", cloud]
    for claims in job.forms(cloud):
        names = {key: value for key, value in claims.items() if not key.endswith("_id")}
        names["sub"] = re.sub(
            r"@\d+|(repository|project|repository_owner)_id:\d+:?", "", claims["sub"]
        )
        assert JUDGES[cloud](text, names) == set()


@NEEDS_TERRAFORM
def test_a_pattern_stands_for_nothing_but_a_branch(files: Files) -> None:
    for ci in ("github", "gitlab"):
        for role, policy in policies(files[ci, "aws"]).items():
            condition = policy["Statement"][0]["Condition"]
            assert "*" not in json.dumps(condition["StringEquals"])
            patterns = condition.get("StringLike", {})
            assert not patterns or (ci, role) == ("gitlab", "data")
            for pattern in (one for values in patterns.values() for one in values):
                assert re.fullmatch(r"[^*?]+:ref_type:branch:ref:\*", pattern)


@pytest.mark.parametrize(
    ("job", "kind"),
    [
        (GITHUB["pull request"][0], "pull_request"),
        (GITHUB["production"][0], "push:production"),
        (GITLAB["merge request"][0], "merge_request_event"),
        (GITLAB["main"][0], "push:production"),
    ],
    ids=["github-pull-request", "github-deployment", "gitlab-merge-request", "gitlab-deployment"],
)
def test_audit_logs_tell_a_pull_request_from_a_deployment(
    job: GitHub | GitLab, kind: str, files: Files
) -> None:
    text = files["github" if isinstance(job, GitHub) else "gitlab", "gcp"]
    for claims in job.forms("gcp"):
        assert mapped(text, claims)["google.subject"] == f"2:12345678901:{kind}"


@NEEDS_TERRAFORM
@pytest.mark.parametrize(("number", "taken"), [("2", True), ("ada", False), ("2*", False)])
def test_numbers_hold_digits_only(number: str, taken: bool, files: Files, tmp_path: Path) -> None:
    for (ci, cloud), text in files.items():
        for name in numbers_of(text):
            (variable,) = re.findall(
                rf'^variable "{name}" \{{\n.*?^\}}\n', text, re.MULTILINE | re.DOTALL
            )
            assert "default" not in variable
            output = f'output "number" {{\n  value = var.{name}\n}}\n'
            (tmp_path / "main.tf").write_text(variable + output, encoding="utf-8")
            done = run("terraform", "plan", f"-var={name}={number}", folder=tmp_path, **QUIET)
            assert (done.returncode == 0) == taken, f"{ci}, {cloud}: {printed(done)}"
