"""The pipelines of a baked project pass on a fresh bake, and fail for the faults they look for."""

import functools
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from bakery import bake, read_tree
from machine import plain_environment, uv_settings
from pipeline_runner import GitHub, GitLab, JobError, clean_clone, evaluate, run_script

# The jobs whose steps are run, each with values of its matrix
GITHUB: list[tuple[str, str, dict[str, str]]] = [
    ("ci.yaml", "checks", {}),
    ("ci.yaml", "tests", {}),
    ("data.yaml", "report", {}),
    ("model.yaml", "compare", {}),
    ("docs.yaml", "build", {}),
    ("images.yaml", "model", {}),
]
# Jobs that only the service can run, each with the reason
NOT_RUN = {
    "ci.yaml images": "calls images.yaml",
    "ci.yaml deploy": "deploys to a cloud",
    "docs.yaml publish": "publishes to Pages",
    "images.yaml build": "builds images",
    "images.yaml publish": "pushes to the registry",
    "images.yaml deploy": "deploys to a cloud",
    "infra.yaml terraform": "runs in parts, see below",
    "deploy.yaml check": "runs in test_publication.py",
    "deploy.yaml staging": "calls environment.yaml",
    "deploy.yaml production": "calls environment.yaml",
    "environment.yaml deploy": "runs in test_publication.py",
    "train.yaml train": "starts a job in a cloud",
}

# `nox -s slow` runs all but the quick jobs: their commands are those of the workflows
GITLAB = [
    "data",
    "docs",
    *(pytest.param(job, marks=pytest.mark.slow) for job in ("checks", "tests", "compare", "model")),
]
GITLAB_KEEPS = {
    "data": {"data.md", "data.png"},
    "tests": {"junit.xml", "coverage.xml"},
    "compare": {"comparison.md"},
    "model": {"model.onnx"},
}
GITLAB_NOT_RUN = {
    "terraform": "has the commands of infra.yaml",
    "scan-infra": "has the command of infra.yaml",
    "pages": "is `docs`, published",
    "build-image": "builds an image",
    "publish-image": "pushes an image",
    "staging": "runs in test_publication.py",
    "deploy": "runs in test_publication.py",
    "train": "starts a job in a cloud",
}


@pytest.fixture
def environment(torch_index: Path) -> dict[str, str]:
    return plain_environment(**uv_settings(torch_index))


def git(project: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=project, check=True, env=plain_environment())


def test_every_job_is_run_or_said_not_to_be(tmp_path: Path) -> None:
    for cloud in ("none", "gcp", "aws", "azure"):
        project = bake({"cloud": cloud}, tmp_path / cloud).path
        for path in sorted((project / ".github/workflows").iterdir()):
            for key in yaml.safe_load(path.read_text("utf-8"))["jobs"]:
                run = any((path.name, key) == one[:2] for one in GITHUB)
                assert run != (f"{path.name} {key}" in NOT_RUN), f"{path.name} {key}"


def test_a_clone_holds_what_was_baked(tmp_path: Path) -> None:
    project = bake({"tracker": "none"}, tmp_path).path
    baked, _ = read_tree(project)
    cloned, _ = read_tree(clean_clone(project, tmp_path / "clone", plain_environment()))
    cloned = {path: text for path, text in cloned.items() if not path.startswith(".git/")}
    assert cloned == baked


@pytest.mark.isolated
@pytest.mark.parametrize(("workflow", "job", "matrix"), GITHUB, ids=str)
def test_github_jobs_pass_on_a_fresh_bake(
    workflow, job, matrix, tmp_path, environment, record_property
) -> None:
    event = "workflow_dispatch" if workflow == "model.yaml" else "push"
    (tmp_path / "runner").mkdir()
    service = GitHub(bake({}, tmp_path).path, tmp_path / "runner", environment, event_name=event)
    run = service.run(workflow, job, matrix=matrix)
    assert run.ran
    for entry in run.left_out:
        record_property("measured", f"left out of {workflow} {job}: {entry}")
    if workflow == "data.yaml":
        assert "1,797 samples" in run.summary
        assert "mermaid" in run.summary
        assert [path.name for path in run.artifacts] == ["data.png"]
    if workflow == "model.yaml":
        assert "no worse than the current model" in run.summary
    if workflow == "images.yaml":
        assert [path.name for path in run.artifacts] == ["model.onnx"]
    if workflow == "docs.yaml":
        assert [path.name for path in run.artifacts] == ["site"]


@pytest.mark.isolated
@pytest.mark.slow
def test_a_lint_error_a_type_error_and_a_failing_test_fail_their_jobs(
    tmp_path, environment
) -> None:
    project = bake({"tracker": "none", "serving": "none", "docker": False}, tmp_path).path
    # A project of one test, so that one more failing test is what makes the difference
    for path in (project / "tests").glob("test_*.py"):
        path.unlink()
    (project / "tests/test_one.py").write_text("def test_one():\n    assert True\n")
    settings = project / "pyproject.toml"
    settings.write_text(settings.read_text("utf-8").replace("fail_under = 90", "fail_under = 0"))
    package = project / "src" / project.name / "__init__.py"
    (tmp_path / "runner").mkdir()
    service = GitHub(project, tmp_path / "runner", environment)
    service.run("ci.yaml", "checks")
    service.run("ci.yaml", "tests")

    (project / "tests/test_two.py").write_text("def test_two():\n    assert 1 > 2\n")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "A failing test")
    with pytest.raises(JobError, match="1 failed"):
        service.run("ci.yaml", "tests")
    (project / "tests/test_two.py").unlink()

    text = package.read_text("utf-8")
    for fault, found in (("import os\n", "F401"), ("\nX: int = 'one'\n", "Incompatible types")):
        package.write_text(text + fault)
        if found != "F401":
            subprocess.run(["ruff", "format", "--quiet", str(package)], check=True)
        git(project, "commit", "--all", "--quiet", "--message", "A fault")
        with pytest.raises(JobError, match=found):
            service.run("ci.yaml", "checks")


@pytest.mark.isolated
@pytest.mark.slow
@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_a_worse_model_fails_the_comparison(ci, tmp_path, environment) -> None:
    answers = {"tracker": "none", "serving": "none", "docker": False, "ci": ci}
    project = bake(answers, tmp_path).path
    (tmp_path / "runner").mkdir()
    git(project, "init", "--quiet", "--initial-branch", "main")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "Bake")
    git(project, "checkout", "--quiet", "-b", "worse")
    optimizer = project / "configs/optimizer/adam.yaml"
    text = optimizer.read_text("utf-8")
    optimizer.write_text(re.sub("^lr: .*$", "lr: 1.0e-9", text, flags=re.MULTILINE))
    git(project, "commit", "--all", "--quiet", "--message", "Learn nothing")
    # What the service clones: for a workflow by its input, for a pipeline the branch it runs for
    git(project, "checkout", "--quiet", "main" if ci == "github" else "worse")
    if ci == "github":
        given, event = {"candidate": "worse"}, "workflow_dispatch"
        github = GitHub(project, tmp_path / "runner", environment, given, event_name=event)
        run = functools.partial(github.run, "model.yaml", "compare")
    else:
        run = functools.partial(GitLab(project, tmp_path / "runner", environment).run, "compare")
    with pytest.raises(JobError, match="The candidate is worse than the current model"):
        run()


@pytest.mark.isolated
@pytest.mark.parametrize("job", GITLAB)
def test_gitlab_jobs_pass_on_a_fresh_bake(job, tmp_path, environment, record_property) -> None:
    (tmp_path / "runner").mkdir()
    project = bake({"ci": "gitlab"}, tmp_path).path
    run = GitLab(project, tmp_path / "runner", environment).run(job)
    assert run.ran
    for entry in run.left_out:
        record_property("measured", f"left out of GitLab's {job}: {entry}")
    kept = {path.name for path in run.artifacts}
    assert kept == GITLAB_KEEPS.get(job, set())


@pytest.mark.isolated
@pytest.mark.parametrize(
    ("command", "old", "new"),
    [
        ("fmt", 'sse_algorithm = "AES256"', 'sse_algorithm  =  "AES256"'),
        ("checkov", "block_public_acls       = true", "block_public_acls       = false"),
    ],
)
def test_infrastructure_that_is_untidy_or_insecure_fails_its_job(
    command, old, new, tmp_path, environment
) -> None:
    project = bake({"cloud": "aws"}, tmp_path).path
    job = yaml.safe_load((project / ".github/workflows/infra.yaml").read_text("utf-8"))
    steps = [one["run"] for one in job["jobs"]["terraform"]["steps"] if "run" in one]
    (script,) = [one for one in steps if f" {command} " in f"{one} "]
    # The service's machines have pipx, which runs a tool in an environment of its own as uv does
    script = script.replace("pipx run --spec", "uv tool run --from")
    run_script(script, project, environment)

    (file,) = [path for path in (project / "infra").rglob("*.tf") if old in path.read_text("utf-8")]
    file.write_text(file.read_text("utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(JobError):
        run_script(script, project, environment)


def test_both_services_check_the_infrastructure_alike(tmp_path: Path) -> None:
    project = bake({"cloud": "azure"}, tmp_path / "github").path
    github = yaml.safe_load((project / ".github/workflows/infra.yaml").read_text("utf-8"))
    steps = [one.get("run", "") for one in github["jobs"]["terraform"]["steps"]]
    project = bake({"cloud": "azure", "ci": "gitlab"}, tmp_path / "gitlab").path
    gitlab = yaml.safe_load((project / ".gitlab/ci/infra.yml").read_text("utf-8"))
    assert gitlab["terraform"]["script"] == [one for one in steps if one.startswith("terraform")]
    install, scan = gitlab["scan-infra"]["script"]
    assert steps[-1] == f"pipx run --spec {install.split(maxsplit=3)[-1]} {scan}"


def test_every_job_of_gitlab_is_run_or_said_not_to_be(tmp_path: Path) -> None:
    run = {str(one.values[0]) if hasattr(one, "values") else one for one in GITLAB}
    for cloud in ("none", "gcp", "aws", "azure"):
        project = bake({"cloud": cloud, "ci": "gitlab"}, tmp_path / cloud).path
        for name in GitLab(project, tmp_path, {}).jobs():
            assert (name in run) != (name in GITLAB_NOT_RUN), name


def test_expressions_are_evaluated_as_the_service_does() -> None:
    contexts = {"github": {"event_name": "push", "ref": "refs/heads/main"}, "inputs": {"a": ""}}
    functions = {"always": lambda: True, "contains": lambda whole, part: part in whole}
    for expression, value in {
        "github.event_name == 'push' && github.ref == 'refs/heads/main'": True,
        "inputs.a || github.ref": "refs/heads/main",
        "!(github.event_name != 'push')": True,
        "always() && (matrix.x == 'it''s' || 3 > 2)": True,
        "contains(github.ref, 'other')": False,
    }.items():
        assert evaluate(expression, contexts, functions) == value
    with pytest.raises(ValueError, match="can't read"):
        evaluate("a ? b : c", contexts, functions)
