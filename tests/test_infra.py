"""The infrastructure of every combination: formatted, consistent, known to its provider, hardened.

If there is a Terraform command and a provider, `terraform validate` judges every folder. The folder
for AWS is applied to moto's server, planned again (no change is left) and destroyed.
"""

import functools
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from attack.__main__ import ATTACKS
from bakery import Answers, bake, product, questions, read_tree
from moto.server import ThreadedMotoServer
from terraform import (
    Folder,
    blocks,
    broken_references,
    undescribed,
    unknown_to_provider,
    unused,
    wrongly_indexed,
)
from terraform_schema import schema
from tools import (
    QUIET,
    initialise,
    missing_formatter,
    missing_terraform,
    printed,
    provider_of,
    run,
    unformatted,
    validated,
)

TOGGLES = ("serving", "docker", "ci", "cloud")
PROVIDERS = {"aws": "aws", "azure": "azurerm", "gcp": "google"}
CHECKS = (broken_references, wrongly_indexed, unused, undescribed, unknown_to_provider)
# What the CI service gave: variables of the infrastructure
NUMBERS = ("github_owner_id", "github_repository_id", "gitlab_namespace_id", "gitlab_project_id")
# Names as short, and as long with as odd an owner, as they can be
NAMES: dict[str, dict[str, str]] = {
    "usual": {},
    "short": {"project_slug": "q", "repo_owner": "a"},
    "long": {"project_slug": "q" * 32, "repo_owner": "Ada-Lab/with-a-group/and-its-subgroup"},
}


@functools.cache
def infra(**more: str) -> dict[str, tuple[Answers, dict[str, str]]]:
    """Map a name to the answers and the files of each distinct `infra/<cloud>`."""
    toggles = {name: values for name, values in questions().items() if name in TOGGLES}
    found: dict[str, tuple[Answers, dict[str, str]]] = {}
    seen = set()
    with tempfile.TemporaryDirectory() as scratch:
        for number, answers in enumerate(product(toggles)):
            cloud = answers["cloud"]
            if cloud == "none":
                continue
            folder = bake({**answers, **more}, Path(scratch, str(number))).path / "infra" / cloud
            files, _ = read_tree(folder)
            texts = {path: content.decode() for path, content in files.items()}
            if (key := tuple(sorted(texts.items()))) not in seen:
                seen.add(key)
                name = [cloud, answers["ci"], answers["serving"], "docker" * answers["docker"]]
                found["-".join(filter(None, name))] = (answers, texts)
    return found


def terraform_of(texts: Folder) -> dict[str, str]:
    return {path: text for path, text in texts.items() if path.endswith(".tf")}


def types_used() -> list[tuple[str, str]]:
    """List the kinds and types of resources that any combination creates or reads."""
    return sorted(
        {
            (kind, labels[0])
            for _, texts in infra().values()
            for kind in ("resource", "data")
            for _, labels, _ in blocks(terraform_of(texts), kind)
        }
    )


def lay_out(root: Path, cloud: str = "", *, name: str = "usual") -> Path:
    """Write every distinct folder, or a cloud's, into one of its own below `root`."""
    for folder, (_, texts) in infra(**NAMES[name]).items():
        for path, text in texts.items():
            if folder.startswith(cloud):
                file = root / f"{name}-{folder}" / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
    return root


def test_every_cloud_has_its_folder() -> None:
    assert {answers["cloud"] for answers, _ in infra().values()} == set(PROVIDERS)
    assert all("main.tf" in texts for _, texts in infra().values())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_terraform_is_consistent(check: Callable[[Folder], list[str]]) -> None:
    found: dict[str, str] = {}
    for name, (_, texts) in infra().items():
        for problem in check(terraform_of(texts)):
            found.setdefault(problem, name)
    assert found == {}


def test_the_schemas_are_those_of_the_types_used() -> None:
    """`python tests/terraform_schema.py` writes them anew."""
    known = [(kind, name) for kind in ("data", "resource") for name in schema()[kind]]
    assert sorted(known) == types_used()


@pytest.mark.skipif(bool(missing_formatter()), reason=missing_formatter())
def test_terraform_is_formatted(tmp_path: Path) -> None:
    assert unformatted(lay_out(tmp_path / "infra")) == []


@pytest.mark.parametrize("cloud", ["gcp"])
def test_cloud_build_fits_its_schema(cloud: str, tmp_path: Path) -> None:
    files = sorted(map(str, lay_out(tmp_path, cloud).rglob("cloudbuild.yaml")))
    assert files
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.cloudbuild"]
    done = run(*command, *files)
    assert done.returncode == 0, printed(done)


def test_other_files_parse() -> None:
    """Job specifications and roles are data: they hold something, and each key is there once."""
    for name, (_, texts) in infra().items():
        for path, text in texts.items():
            if path.endswith((".yaml", ".yml")):
                assert yaml.safe_load(text), f"{name}/{path}"
            elif path.endswith(".json"):
                assert json.loads(text), f"{name}/{path}"


CHECKOV = ["uv", "tool", "run", "--from", "checkov>=3.2,<4", "checkov"]


@functools.cache
def missing_checkov() -> str:
    """Say why checkov, which has an environment of its own, can't be run."""
    if not shutil.which("uv"):
        return "there is no uv command to run checkov with"
    done = run(*CHECKOV[:-1], "python", "--version")
    return "" if done.returncode == 0 else "checkov can't be installed"


def insecure(root: Path) -> list[str]:
    """Let checkov judge all folders below one; return its objections."""
    options = ["--framework", "terraform", "--quiet", "--compact", "--output", "json"]
    # It contacts nobody: without this option it would download texts about its checks
    done = run(*CHECKOV, "--directory", str(root), *options, "--skip-download", LOG_LEVEL="ERROR")
    assert done.stdout, printed(done)
    result = json.loads(done.stdout)
    assert not result["summary"]["parsing_errors"], printed(done)
    return sorted(
        {
            f"{row['file_path']}: {row['resource']}: {row['check_id']} {row['check_name']}"
            for row in result["results"]["failed_checks"]
        }
    )


def test_checkov_objects_to_nothing_but_what_is_planted(tmp_path: Path) -> None:
    if reason := missing_checkov():
        pytest.skip(reason)
    root = lay_out(tmp_path / "infra")
    (root / "planted").mkdir()
    (root / "planted" / "main.tf").write_text(FAULTLESS["main.tf"], encoding="utf-8")
    found = insecure(root)
    assert any("CKV_AWS_145" in problem for problem in found)
    assert [problem for problem in found if not problem.startswith("/planted/")] == []


def test_what_checkov_should_skip_has_a_reason() -> None:
    for name, (_, texts) in infra().items():
        for path, text in texts.items():
            for line in re.findall(r"checkov:skip.*", text):
                match = re.fullmatch(r"checkov:skip=CKV2?_[A-Z]+_\d+: ?(.+)", line)
                assert match, f"{name}/{path}: {line} gives no reason"
                assert len(match[1].split()) > 3, f"{name}/{path}: {line} gives no reason"


@pytest.mark.terraform
@pytest.mark.parametrize("cloud", PROVIDERS)
def test_terraform_validates(cloud: str, tmp_path: Path) -> None:
    if reason := provider_of(PROVIDERS[cloud]).missing:
        pytest.skip(reason)
    for name in NAMES:
        lay_out(tmp_path / "infra", cloud, name=name)
    problems = validated(tmp_path / "infra", PROVIDERS[cloud])
    assert not problems, problems


@pytest.fixture
def moto() -> Iterator[str]:
    """Serve AWS on a free port of this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


# Of budgets, moto knows neither tags nor subscribers; of functions, it forgets these
NOT_IN_MOTO = {"budget.tf"}
FORGOTTEN = {("aws_lambda_function", "image_config"), ("aws_lambda_function", "logging_config")}
LOCAL_AWS = """provider "aws" {
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
}
"""


def changed(plan: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the changes in a plan: types, each with an attribute."""
    found = set()
    for row in plan["resource_changes"]:
        change = row["change"]
        if change["actions"] != ["no-op"]:
            before, after = change["before"] or {}, change["after"] or {}
            names = {*before, *after, *change["after_unknown"]}
            found |= {(row["type"], name) for name in names if before.get(name) != after.get(name)}
    return found - FORGOTTEN


@pytest.mark.terraform
@pytest.mark.parametrize("ci", ["github", pytest.param("gitlab", marks=pytest.mark.slow)])
def test_aws_is_applied_and_destroyed(ci: str, moto: str, tmp_path: Path) -> None:
    if reason := provider_of("aws").missing:
        pytest.skip(reason)
    _, texts = infra()[f"aws-{ci}-fastapi-docker"]
    root = tmp_path / "infra"
    root.mkdir()
    texts = {path: text for path, text in texts.items() if path not in NOT_IN_MOTO}
    for path, text in {**texts, "moto_override.tf": LOCAL_AWS}.items():
        (root / path).write_text(text, encoding="utf-8")
    initialise(root, "aws")
    environment = {
        **QUIET,
        "AWS_ENDPOINT_URL": moto,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-west-1",
        "AWS_MAX_ATTEMPTS": "2",
        "TF_VAR_alert_email": "ada@example.com",
        **{f"TF_VAR_{name}": "123" for name in NUMBERS},
    }

    def terraform(*arguments: str) -> str:
        done = run("terraform", *arguments, folder=root, **environment)
        assert done.returncode == 0, printed(done)
        return done.stdout

    for variable in ([], ["-var=service=true"]):  # as docs/aws.md says: the service needs an image
        terraform("apply", "-auto-approve", *variable)
        terraform("plan", "-out=plan", *variable)
        assert changed(json.loads(terraform("show", "-json", "plan"))) == set()
    variables_of_ci = json.loads(terraform("output", "-json"))["ci_variables"]["value"]
    assert {"AWS_ACCOUNT_ID", "AWS_REGION", "AWS_ROLE_ARN"} <= variables_of_ci.keys()
    terraform("destroy", "-auto-approve", "-var=service=true")
    assert json.loads((root / "terraform.tfstate").read_text("utf-8"))["resources"] == []


def services() -> dict[str, tuple[str, dict[str, str]]]:
    """Map a name to the cloud and the Terraform of each distinct folder that has a service."""
    return {
        name: (answers["cloud"], terraform_of(texts))
        for name, (answers, texts) in infra().items()
        if {"service.tf", "function.tf"} & texts.keys()
    }


def evaluated(texts: Folder, expression: str, **variables: Any) -> Any:
    """Let Terraform evaluate an expression on a folder's variables."""
    block = re.compile(r'^variable "(\w+)" \{\n.*?^\}\n', re.MULTILINE | re.DOTALL)
    with tempfile.TemporaryDirectory() as folder:
        known = [match[0] for match in block.finditer(texts["variables.tf"])]
        Path(folder, "main.tf").write_text("".join(known), encoding="utf-8")
        given = {f"TF_VAR_{name}": json.dumps(value) for name, value in variables.items()}
        typed = f"jsonencode({expression.removeprefix('${').removesuffix('}')})"
        done = run("terraform", "console", folder=Path(folder), typed=typed, **QUIET, **given)
    assert done.returncode == 0, printed(done)
    return json.loads(json.loads(done.stdout))


def doors(cloud: str, texts: Folder, **variables: Any) -> tuple[bool, list[str]]:
    """Return whether anybody may call a service, and who may besides the account's own people."""
    resources = {labels: body for _, labels, body in blocks(texts, "resource")}
    if cloud == "aws":
        route = resources["aws_apigatewayv2_route", "service"]
        kind = evaluated(texts, route["authorization_type"], **variables)
        assert kind in {"NONE", "AWS_IAM"}
        return kind == "NONE", []
    if cloud == "gcp":
        kind = "google_cloud_run_v2_service_iam_member"
        public, callers = resources[kind, "public"], resources[kind, "callers"]
        assert public["member"] == '"allUsers"'
        assert callers["member"] == "${each.key}"
        assert public["role"] == callers["role"] == '"roles/run.invoker"'
        anybody = evaluated(texts, public["count"], service=True, **variables)
        return anybody == 1, evaluated(texts, callers["for_each"], service=True, **variables)
    (ingress,) = resources["azurerm_container_app", "service"]["ingress"]
    (rules,) = (one['"ip_security_restriction"'] for one in ingress["dynamic"])
    (rule,) = rules["content"]
    assert (rule["action"], rule["ip_address_range"]) == ('"Allow"', "${caller.value}")
    reached = evaluated(texts, ingress["external_enabled"], **variables)
    ranges = evaluated(texts, f"values({rules['for_each'][2:-1]})", **variables)
    return reached and not ranges, ranges if reached else []


ADA = {"gcp": ["user:ada@example.com"], "azure": {"ada": "203.0.113.7/32"}}


@pytest.mark.skipif(bool(missing_terraform()), reason=missing_terraform())
def test_a_service_is_private_until_its_owner_says_otherwise() -> None:
    seen = set()
    for name, (cloud, texts) in services().items():
        if (
            key := (cloud, texts["service.tf" if "service.tf" in texts else "function.tf"])
        ) in seen:
            continue
        seen.add(key)
        assert doors(cloud, texts) == (False, []), name
        assert doors(cloud, texts, public=True)[0], name
        if cloud in ADA:
            callers = ADA[cloud]
            who = list(callers.values()) if isinstance(callers, dict) else callers
            assert doors(cloud, texts, callers=callers) == (False, who), name
            assert doors(cloud, texts, callers=callers, public=True)[0], name
    assert {cloud for cloud, _ in seen} == set(PROVIDERS)


def refusal(texts: Folder, variable: str, value: str) -> str:
    """Let Terraform judge a variable's value; return its error, or nothing."""
    (block,) = re.findall(
        rf'^variable "{variable}" \{{\n.*?^\}}\n', texts["variables.tf"], re.MULTILINE | re.DOTALL
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.tf").write_text(block, encoding="utf-8")
        done = run("terraform", "plan", f"-var={variable}={value}", folder=Path(folder), **QUIET)
    assert bool(done.returncode) == bool(done.stderr), printed(done)
    return done.stderr


@pytest.mark.skipif(bool(missing_terraform()), reason=missing_terraform())
@pytest.mark.parametrize("range_", ["203.0.113.7", "2001:db8::/32", "everybody", "0.0.0.0/33"])
def test_azure_takes_ranges_of_addresses_only(range_: str) -> None:
    _, texts = infra()["azure-none-fastapi-docker"]
    assert "Each is an IPv4 range" in refusal(texts, "callers", f'{{ a = "{range_}" }}')
    assert refusal(texts, "callers", '{ a = "203.0.113.0/24" }') == ""


@pytest.mark.skipif(bool(missing_terraform()), reason=missing_terraform())
@pytest.mark.parametrize("cloud", PROVIDERS)
def test_a_service_takes_its_own_settings_only(cloud: str) -> None:
    _, texts = infra()[f"{cloud}-none-fastapi-docker"]
    for name in ("PATH", "MY_SERVE_RATE", "serve_rate", "SERVE_RATE "):
        assert "begins with SERVE_" in refusal(texts, "service_settings", f'{{ "{name}" = "1" }}')
    assert refusal(texts, "service_settings", '{ SERVE_MAX_BODY = "6000000" }') == ""
    too_much = refusal(texts, "service_settings", '{ SERVE_MAX_BODY = "6000001" }')
    assert ("Lambda takes no more" in too_much) == (cloud == "aws")


def container_of(texts: Folder) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return a service of containers, its template, and the container in it."""
    types = {"google_cloud_run_v2_service", "azurerm_container_app"}
    (service,) = (body for _, (type_, _), body in blocks(texts, "resource") if type_ in types)
    (template,) = service["template"]
    (container,) = template.get("container", template.get("containers"))
    return service, template, container


def dynamic(body: dict[str, Any], name: str) -> tuple[str, dict[str, Any]]:
    """Return what a dynamic block is there for, and its content."""
    (block,) = (one[f'"{name}"'] for one in body["dynamic"] if f'"{name}"' in one)
    return block["for_each"], block["content"][0]


def environment_of(cloud: str, texts: Folder, **variables: Any) -> dict[str, str]:
    """Return the environment variables that Terraform gives a service."""
    if cloud == "aws":
        resources = {labels: body for _, labels, body in blocks(texts, "resource")}
        (environment,) = resources["aws_lambda_function", "service"]["environment"]
        return evaluated(texts, environment["variables"], **variables)
    every, content = dynamic(container_of(texts)[2], "env")
    assert (content["name"], content["value"]) == ("${env.key}", "${env.value}")
    return evaluated(texts, every, **variables)


@pytest.mark.skipif(bool(missing_terraform()), reason=missing_terraform())
@pytest.mark.parametrize("cloud", PROVIDERS)
def test_settings_reach_a_service(cloud: str) -> None:
    texts = terraform_of(infra()[f"{cloud}-none-fastapi-docker"][1])
    own = {"SERVE_MAX_BODY": "6000000"} if cloud == "aws" else {}  # the most that Lambda takes
    assert environment_of(cloud, texts) == own
    rate = {"SERVE_RATE": "2"}
    assert environment_of(cloud, texts, service_settings=rate) == own | rate
    body = {"SERVE_MAX_BODY": "1000"}
    assert environment_of(cloud, texts, service_settings=body) == body


# Where a secret that is mounted there has its value
FILES = {"gcp": ("volumes", "mount_path", "keys.txt"), "azure": ("volume", "path", "keys")}


@pytest.mark.skipif(bool(missing_terraform()), reason=missing_terraform())
@pytest.mark.parametrize("cloud", FILES)
def test_the_list_of_keys_is_mounted_where_the_service_reads_it(cloud: str) -> None:
    texts = terraform_of(infra()[f"{cloud}-none-fastapi-docker"][1])
    service, template, container = container_of(texts)
    volumes, path, file = FILES[cloud]
    parts = [dynamic(container, "volume_mounts"), dynamic(template, volumes)]
    if cloud == "azure":  # each secret is a file of its name
        parts.append(dynamic(service, "secret"))
        where = parts[2][1]["key_vault_secret_id"]
        assert where == '"${azurerm_key_vault.keys.vault_uri}secrets/keys"'
    else:
        (secret,) = parts[1][1]["secret"]
        assert secret["items"][0]["path"] == f'"{file}"'
    for every, _ in parts:
        assert evaluated(texts, every) == []
        assert evaluated(texts, every, service_keys=True) == ["keys"]
    mounted = json.loads(parts[0][1][path])
    seen = environment_of(cloud, texts, service_keys=True)
    assert seen == {"SERVE_KEYS_FILE": f"{mounted}/{file}"}


# Types whose values Terraform would keep in its state
KEPT = re.compile(
    r"_secret(smanager_secret)?_version$|_key_vault_secret$|_ssm_parameter$|^random_password$"
)


def test_a_service_reads_its_keys_which_terraform_never_sees() -> None:
    rights = set()
    for name, (cloud, texts) in services().items():
        for kind in ("resource", "data"):
            for _, (type_, label), body in blocks(texts, kind):
                assert not KEPT.search(type_), f"{name}: {type_}.{label}"
                who = body.get("member", body.get("principal_id", ""))
                if re.search(r"(account|identity)\.service\.", who):
                    role = body.get("role") or body["role_definition_name"]
                    where = body.get("scope", body.get("secret_id"))
                    rights.add((cloud, role.strip('"'), where))
    assert rights == {
        ("azure", "AcrPull", "${azurerm_container_registry.images.id}"),
        ("azure", "Key Vault Secrets User", "${azurerm_key_vault.keys.id}"),
        (
            "gcp",
            "roles/secretmanager.secretAccessor",
            "${google_secret_manager_secret.keys.secret_id}",
        ),
    }


@pytest.mark.skipif(bool(missing_terraform()), reason=missing_terraform())
@pytest.mark.parametrize(
    ("workspace", "environment", "taken"),
    [
        ("default", "production", True),
        ("staging", "staging", True),
        ("default", "staging", False),
        ("staging", "production", False),
        ("other", "other", False),
    ],
)
def test_settings_and_state_are_of_one_environment(
    workspace: str, environment: str, taken: bool, tmp_path: Path
) -> None:
    for number, (_, texts) in enumerate(services().values()):
        [block] = re.findall(
            r'^variable "environment" \{\n.*?^\}\n', texts["variables.tf"], re.MULTILINE | re.DOTALL
        ) or [""]
        if not block:
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        output = 'output "environment" {\n  value = var.environment\n}\n'
        (folder / "main.tf").write_text(block + output, encoding="utf-8")
        given = {} if environment == "production" else {"TF_VAR_environment": environment}
        done = run("terraform", "plan", folder=folder, **QUIET, TF_WORKSPACE=workspace, **given)
        assert (done.returncode == 0) == taken, printed(done)


@pytest.mark.skipif(bool(missing_terraform()), reason=missing_terraform())
def test_staging_sets_variables_of_its_environment_only() -> None:
    values = {}
    for name, (_, texts) in services().items():
        outputs = {labels[0]: body for _, labels, body in blocks(texts, "output")}
        if "ci_variables" in outputs:
            values[outputs["ci_variables"]["value"]] = name, texts
    assert values
    for value, (name, texts) in values.items():
        given = value.replace("local.pipelines", '{ A = "a" }')
        for environment, found in (("production", {"A": "a"}), ("staging", {})):
            is_production = f'("{environment}" == "production")'
            assert evaluated(texts, given.replace("local.production", is_production)) == found, name


def test_google_runs_a_page_of_its_own_until_the_first_deployment() -> None:
    _, texts = infra()["gcp-github-fastapi-docker"]
    service, _, container = container_of(terraform_of(texts))
    assert container["image"] == '"us-docker.pkg.dev/cloudrun/container/hello"'
    assert "${template[0].containers[0].image}" in service["lifecycle"][0]["ignore_changes"]
    assert "var.service " not in "".join(texts.values())


@pytest.mark.parametrize("docker", ["", "-docker"])
def test_runs_and_sources_are_not_kept_for_ever(docker: str) -> None:
    """The buckets hold data, too: a rule without a prefix would delete them."""
    days: dict[str, Any] = {}
    for cloud in PROVIDERS:
        name = next(
            one for one in infra() if re.fullmatch(rf"{cloud}-none(-fastapi)?{docker}", one)
        )
        for _, (type_, label), body in blocks(terraform_of(infra()[name][1]), "resource"):
            if type_ == "aws_s3_bucket_lifecycle_configuration":
                for rule in body["rule"]:
                    for expires in rule.get("expiration", []):
                        days[rule["filter"][0]["prefix"]] = expires["days"]
            elif type_ == "google_storage_bucket":
                for rule in (one["condition"][0] for one in body["lifecycle_rule"]):
                    if "matches_prefix" in rule:
                        days[f"gs {rule['matches_prefix'][0]}"] = rule["age"]
            elif (type_, label) == ("azurerm_storage_management_policy", "jobs"):
                (rule,) = body["rule"]
                blob = rule["actions"][0]["base_blob"][0]
                assert len(rule["filters"][0]["prefix_match"]) == 2
                days["azureml/"] = blob["delete_after_days_since_modification_greater_than"]
    sources = {} if docker else {'"source/"': 7}
    assert days == sources | {
        '"training/"': 90, 'gs "runs/"': 90, 'gs "source/"': 7, "azureml/": 90,
    }  # fmt: skip


def test_probes_wait_for_a_busy_service() -> None:
    """By itself, each cloud takes a service that needs more than a second for dead."""
    seconds = {
        (type_, kind): probe.get("timeout", probe.get("timeout_seconds"))
        for _, texts in services().values()
        for _, (type_, _), body in blocks(texts, "resource")
        for template in body.get("template", [])
        for container in template.get("container", template.get("containers"))
        for kind in container
        if kind.endswith("_probe")
        for probe in container[kind]
    }
    assert seconds == {
        ("azurerm_container_app", "startup_probe"): 5,
        ("azurerm_container_app", "readiness_probe"): 5,
        ("azurerm_container_app", "liveness_probe"): 5,
        ("google_cloud_run_v2_service", "startup_probe"): 2,  # no longer than its period
        ("google_cloud_run_v2_service", "liveness_probe"): 5,
    }


# MB that a service takes beside its requests, and beyond that: bodies that wait in /tmp, which is
# memory in Cloud Run. `attack` proves what the other requests take at most
IDLE = {True: 200, False: 400}  # with ONNX, and with PyTorch
FILES_OF_REQUESTS = 80
# The largest pictures that one CPU reads within the 8 s of SERVE_TIMEOUT
LARGEST_AT_ONCE = 40


@pytest.mark.parametrize("onnx", [True, False], ids=["onnx", "torch"])
@pytest.mark.parametrize("cloud", FILES)
def test_a_service_has_memory_and_time_for_its_largest_requests(cloud: str, *, onnx: bool) -> None:
    answers, _ = infra()[f"{cloud}-none-fastapi-docker"]
    with tempfile.TemporaryDirectory() as folder:
        project = bake({**answers, "onnx_export": onnx}, Path(folder)).path
        files, _ = read_tree(project / "infra" / cloud)
    texts = {path: text.decode() for path, text in files.items() if path.endswith(".tf")}
    _, template, container = container_of(texts)
    if cloud == "gcp":
        limits = container["resources"][0]["limits"]
        cpu, memory = float(limits["cpu"].strip('"')), limits["memory"]
        at_once = template["max_instance_request_concurrency"]
    else:
        cpu, memory = container["cpu"], container["memory"]
        at_once = int(template["http_scale_rule"][0]["concurrent_requests"].strip('"'))
    requests = max(attack.memory for attack in ATTACKS) + FILES_OF_REQUESTS
    assert IDLE[onnx] + requests <= 1024 * int(memory.strip('"').removesuffix("Gi"))
    assert at_once <= LARGEST_AT_ONCE * cpu


@pytest.mark.skipif(bool(missing_terraform()), reason=missing_terraform())
@pytest.mark.parametrize("cloud", FILES)
def test_a_service_without_requests_costs_nothing_unless_told(cloud: str) -> None:
    texts = terraform_of(infra()[f"{cloud}-none-fastapi-docker"][1])
    _, template, _ = container_of(texts)
    variable = {"gcp": "min_instances", "azure": "min_replicas"}[cloud]
    least = template.get("min_replicas") or template["scaling"][0]["min_instance_count"]
    assert evaluated(texts, least) == 0
    assert evaluated(texts, least, **{variable: 2}) == 2


FAULTLESS = {
    "main.tf": """terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

data "aws_caller_identity" "current" {}

locals {
  owner = "${data.aws_caller_identity.current.account_id}-${var.name}"
}

resource "aws_s3_bucket" "data" {
  count  = var.name == "" ? 0 : 1
  bucket = local.owner # not var.bucket
}

resource "aws_s3_bucket_versioning" "data" {
  for_each = toset(["a"])
  bucket   = aws_s3_bucket.data[0].id

  versioning_configuration {
    status = "Enabled-${each.key}"
  }
}
""",
    "variables.tf": """variable "name" {
  description = "A name, such as $${var.other}"
  type        = string
}

output "bucket" {
  description = "The bucket"
  value       = one(aws_s3_bucket.data[*].arn)
}
""",
}
# An old and a new text of main.tf, the check that finds the fault, and a part of its message
FAULTS: dict[str, tuple[str, str, str, str]] = {
    "variable": ("-${var.name}", "-${var.name}${var.n}", "broken_references", "var.n,"),
    "local": ("local.owner", "local.owners", "broken_references", "local.owners"),
    "data": ("-${var", "-${data.aws_region.r.id}-${var", "broken_references", "aws_region.r"),
    "resource": ("bucket.data[0]", "bucket.date[0]", "broken_references", "aws_s3_bucket.date"),
    "each": ('for_each = toset(["a"])', "count = 1", "broken_references", "without for_each"),
    "index": ("data[0].id", "data.id", "wrongly_indexed", "is one of several"),
    "no index": ("current.acc", "current[0].acc", "wrongly_indexed", "it takes no index"),
    "unused data": (
        'data "aws', 'data "aws_region" "r" {}\ndata "aws', "unused", "aws_region.r: nothing reads",
    ),
    "unused local": ("locals {", "locals {\n  a = 1", "unused", "local a: nothing reads"),
    "unused provider": ("    aws =", "    tls = {}\n    aws =", "unused", "provider tls: nothing"),
    "provider": ("    aws =", "    tls =", "unused", "provider aws: is not required"),
    "type": ('"aws_s3_bucket" "d', '"aws_s4_bucket" "d', "unknown_to_provider", "in no schema"),
    "argument": ("bucket   =", "buckets  =", "unknown_to_provider", "buckets: is no argument"),
    "missing": ("bucket   =", "mfa      =", "unknown_to_provider", "data.bucket: is missing"),
    "nested": ("status =", "state  =", "unknown_to_provider", "configuration.state: is no"),
    "block": ("versioning_configuration {", "versioning {", "unknown_to_provider", "is no block"),
    "value": ("configuration {", "configuration = {", "unknown_to_provider", "takes no ="),
    "attribute": ("[0].id", "[0].ids", "unknown_to_provider", "ids, which aws_s3_bucket does not"),
}  # fmt: skip


def test_a_faultless_folder_has_no_findings() -> None:
    assert [problem for check in CHECKS for problem in check(FAULTLESS)] == []


@pytest.mark.parametrize(("old", "new", "check", "says"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found(old: str, new: str, check: str, says: str) -> None:
    assert FAULTLESS["main.tf"].count(old) == 1
    faulty = {**FAULTLESS, "main.tf": FAULTLESS["main.tf"].replace(old, new)}
    (found,) = (one(faulty) for one in CHECKS if one.__name__ == check)
    assert any(says in problem for problem in found), found


def test_what_has_no_description_is_found() -> None:
    text = re.sub(r" +description.*\n| +type.*\n", "", FAULTLESS["variables.tf"])
    found = undescribed({"variables.tf": text})
    assert [problem.partition("has no ")[2] for problem in found] == [
        "type", "description", "description",
    ]  # fmt: skip


@pytest.mark.skipif(bool(missing_formatter()), reason=missing_formatter())
def test_what_is_unformatted_is_found(tmp_path: Path) -> None:
    for name, text in FAULTLESS.items():
        (tmp_path / name).write_text(text.replace("bucket   =", "bucket ="), encoding="utf-8")
    assert unformatted(tmp_path) == ["main.tf"]
