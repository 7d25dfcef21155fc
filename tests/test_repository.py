"""This repository itself: its code, documentation and workflows, and the README's claims."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bakery import TEMPLATE as ROOT
from bakery import bake, questions, raw_questions

PYTHON = ["benchmarks", "docs", "hooks", "noxfile.py", "tests"]


def run(*command: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text("utf-8")
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)


def test_code_is_linted_and_formatted() -> None:
    run("ruff", "check", *PYTHON)
    run("ruff", "format", "--check", *PYTHON)


def test_code_is_typed_consistently() -> None:
    run("mypy")


def test_documentation_builds_strictly(tmp_path: Path) -> None:
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    run("zensical", "build", "--strict", cwd=tmp_path)


def test_a_dangling_link_would_fail_that_build(tmp_path: Path) -> None:
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    page = tmp_path / "docs" / "index.md"
    page.write_text(page.read_text("utf-8") + "\n[gone](gone.md)\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="page does not exist"):
        run("zensical", "build", "--strict", cwd=tmp_path)


def test_every_link_of_the_small_files_leads_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md"):
        page = ROOT / name
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), (name, target)


def test_every_question_has_a_paragraph_and_every_choice_a_word() -> None:
    text = (ROOT / "docs" / "questions.md").read_text("utf-8")
    sections = dict(
        re.findall(r"^## ([\w, ]+)\n\n(.+?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    )
    documented = {
        name.strip(): body for names, body in sections.items() for name in names.split(",")
    }
    asked = [name for name in raw_questions() if not name.startswith("_")]
    assert [name for name in documented if name in asked] == asked
    for name, choices in questions().items():
        assert all(json.dumps(choice).strip('"') in documented[name] for choice in choices)


def test_the_tree_in_the_readme_is_the_default_bake(tmp_path: Path) -> None:
    baked = bake({}, tmp_path).path
    (tree,) = blocks(ROOT / "README.md", "text")
    shown: set[Path] = set()
    folder = baked
    for line in tree.splitlines()[1:]:
        ((branch, entry),) = re.findall(r"^([│├└─ ]*)(.*)$", line)
        names = [part for part in re.split(r" {2,}", entry) if re.fullmatch(r"[\w./-]+", part)]
        comment = entry.removeprefix(names[0]) if len(names) == 1 else ""
        nested = "│  " in branch or branch.startswith("    ")
        for name in names:
            path = (folder if nested else baked) / name
            assert path.exists(), f"{line!r} names {path}"
            shown.add(path)
        for name in re.findall(r"\b(\w+)/", comment):
            assert (folder / name).is_dir(), line
        if not nested and entry.split()[0].endswith("/"):
            folder = baked / names[0]
    top = {path.relative_to(baked).parts[0] for path in shown}
    assert top == {path.name for path in baked.iterdir()}
    package = baked / "src" / baked.name
    inside = {path.name for path in package.iterdir() if path.name[0] != "_"}
    assert inside == {path.name for path in shown if path.parent == package}


def test_the_pictures_are_those_of_todays_bake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import pictures

    questions_today = pictures.draw(pictures.questions())
    assert (ROOT / "docs" / "bake.svg").read_text("utf-8") == questions_today, pictures.__doc__
    today = pictures.structure()
    assert (ROOT / "docs" / "structure.svg").read_text("utf-8") == today, pictures.__doc__


def test_the_picture_of_the_structure_has_no_arrow_that_runs_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A wing lies above all that it imports; two that import each other can't be drawn."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import pictures

    found = pictures.wings(bake({"cloud": "gcp"}, tmp_path).path / "src" / "my_ml_project")
    assert {"", "cloud", "datasets", "networks", "training"} <= found.keys()
    assert {found[name].floor for name in ("datasets", "networks")} == {0}
    for wing in found.values():
        assert all(found[name].floor < wing.floor for name in wing.imports)


def test_the_gate_runs_the_readmes_test_command() -> None:
    command = "python3 -m venv .venv && .venv/bin/pip install --quiet nox && .venv/bin/nox -s tests"
    assert f"{command}\n" in blocks(ROOT / "README.md", "bash")
    assert command in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert f"run: {command}\n" in (ROOT / ".github/workflows/ci.yaml").read_text("utf-8")


def test_every_nox_session_that_is_named_exists() -> None:
    noxfile = (ROOT / "noxfile.py").read_text("utf-8")
    sessions = set(re.findall(r"^@nox\.session\ndef (\w+)", noxfile, re.MULTILINE))
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob(".github/workflows/*")]
    named = {name for page in pages for name in re.findall(r"nox -r? ?-?s (\w+)", page.read_text())}
    assert named
    assert named <= sessions


def test_workflows_are_valid_and_safe() -> None:
    workflows = [str(path) for path in sorted((ROOT / ".github/workflows").iterdir())]
    schema = "check_jsonschema", "--builtin-schema"
    run(*schema, "vendor.github-workflows", *workflows)
    run(*schema, "vendor.dependabot", str(ROOT / ".github/dependabot.yml"))
    zizmor = Path(sys.executable).with_name("zizmor")
    options = ["--offline", "--persona", "pedantic", "--no-progress"]
    done = subprocess.run([zizmor, *options, *workflows], check=False, capture_output=True)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def test_actions_are_pinned_by_commit() -> None:
    for path in (ROOT / ".github/workflows").iterdir():
        for action in re.findall(r"uses: (.*)", path.read_text("utf-8")):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", action), action


def test_the_branch_that_a_readme_makes_is_that_of_the_workflows(tmp_path: Path) -> None:
    project = bake({"project_slug": "quartz_reader"}, tmp_path).path
    command = re.search("^git init.*", (project / "README.md").read_text("utf-8"), re.MULTILINE)
    assert command
    old = ["git", "-c", "init.defaultBranch=master"]  # as git sets it up by itself
    subprocess.run([*old, *command.group().split()[1:]], cwd=project, check=True)
    head = (project / ".git/HEAD").read_text("utf-8").strip()
    workflow = (project / ".github/workflows/ci.yaml").read_text("utf-8")
    assert f"branches: [{head.rpartition('/')[2]}]" in workflow
