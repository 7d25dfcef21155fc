"""Every distinct text of the pipelines: valid, safe, pinned; the parts that they name exist."""

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bakery import bake, template_files
from checks.tree import Tree
from checks.workflows import unknown_parts, unpinned_actions, unpinned_tools
from forest import Forest
from test_files import SLUGS, texts_of, without_marks

WORKFLOWS = ".github/workflows"
# Each schema, and the files that it is for
SCHEMAS = {
    "github-workflows": f"{WORKFLOWS}/*.yaml",
    "github-actions": ".github/actions/*/action.yaml",
    "dependabot": ".github/dependabot.yml",
    "gitlab-ci": ".gitlab*/**/*.yml",
}
SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Lay every distinct text out: the n-th text of each file makes up the n-th project."""
    folder = tmp_path_factory.mktemp("pipelines")
    names = [
        name
        for name in template_files()
        if without_marks(name).startswith((".github/", ".gitlab"))
        and name.endswith((".yaml", ".yml"))
    ]
    count: Counter[str] = Counter()
    for rows in texts_of(names, SLUGS[2:3]).values():
        for row in rows:
            file = folder / str(count[row.path]) / row.path
            count[row.path] += 1
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(row.text, encoding="utf-8")
    yield folder
    shutil.rmtree(folder)


def run(*command: str | Path) -> str:
    """Return the objections of a tool, or nothing."""
    done = subprocess.run(
        [str(word) for word in command], check=False, capture_output=True, text=True
    )
    return done.stdout + done.stderr if done.returncode else ""


def schema_problems(folder: Path, schema: str) -> str:
    """Return the objections of a published schema to its files."""
    files = sorted(folder.glob(f"*/{SCHEMAS[schema]}"))
    if schema == "gitlab-ci":
        files += sorted(folder.glob("*/.gitlab-ci.yml"))
        files = [part for file in files if file.suffix == ".yml" for part in documents(file)]
    assert files, f"no file is laid out for {schema}"
    options = ["--data-transform", "gitlab-ci"] if schema == "gitlab-ci" else []
    tool = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}")
    return run(*tool, *options, *files)


def documents(file: Path) -> list[Path]:
    """Split the header of a pipeline off, for tools that read one document of a file."""
    header, line, content = file.read_text("utf-8").partition("\n---\n")
    if not line:
        return [file]
    parts = {file.with_suffix(".header.yml"): header, file.with_suffix(".content.yml"): content}
    for part, text in parts.items():
        part.write_text(text, encoding="utf-8")
    return list(parts)


def zizmor_problems(folder: Path) -> str:
    """Return the objections of zizmor."""
    zizmor = Path(sys.executable).with_name("zizmor")
    options = ["--offline", "--persona", "pedantic", "--no-progress", "--quiet"]
    return run(zizmor, *options, *sorted(folder.glob("*/.github")))


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_text_is_valid(laid_out: Path, schema: str) -> None:
    problems = schema_problems(laid_out, schema)
    assert not problems, problems


def test_every_text_is_safe(laid_out: Path, record_property: Callable[[str, str], None]) -> None:
    problems = zizmor_problems(laid_out)
    assert not problems, problems
    count = sum(1 for _ in laid_out.glob("*/.github/**/*.y*ml"))
    record_property(
        "measured", f"zizmor reports nothing in {count} workflows, actions and settings"
    )


def test_every_action_is_pinned_and_everywhere_to_the_same_commit(laid_out: Path) -> None:
    texts = {
        str(file.relative_to(laid_out)): file.read_text("utf-8")
        for pattern in (f"*/{WORKFLOWS}/*", "*/.github/actions/*/*")
        for file in laid_out.glob(pattern)
    }
    assert sum("uses: " in text for text in texts.values()) > 50
    assert not unpinned_actions(texts)


def plant(folder: Path, name: str, old: str, new: str) -> Path:
    """Bake one project with a fault in one file, as the only project of a folder."""
    ci = "gitlab" if name.startswith(".gitlab") else "github"
    answers = {"project_slug": "quartz", "ci": ci}
    project = bake(answers, folder).path
    file = project / name
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("schema", "name", "old", "new"),
    [
        ("github-workflows", f"{WORKFLOWS}/ci.yaml", "timeout-minutes: 20", "timeout: 20"),
        ("github-actions", ".github/actions/setup/action.yaml", "using: composite", "using: both"),
        ("dependabot", ".github/dependabot.yml", "interval: weekly", "interval: sometimes"),
        ("gitlab-ci", ".gitlab/ci/docs.yml", "needs: []", "needs: none"),
        ("gitlab-ci", ".gitlab-ci.yml", "interruptible: true", "interruptable: true"),
        ("gitlab-ci", ".gitlab-ci.yml", 'default: ""', "type: text"),
    ],
)
def test_a_planted_fault_fails_its_schema(
    tmp_path: Path, schema: str, name: str, old: str, new: str
) -> None:
    assert schema_problems(plant(tmp_path / "bakes", name, old, new), schema)


@pytest.mark.parametrize(
    ("old", "new", "audit"),
    [
        ("        with:\n          persist-credentials: false\n", "", "artipacked"),
        ("run: uv run mypy", "run: echo ${{ github.head_ref }}", "template-injection"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("uses: $/", "uses: ./", "self-repository"),
    ],
)
def test_a_planted_fault_is_seen_by_zizmor(tmp_path: Path, old: str, new: str, audit: str) -> None:
    folder = plant(tmp_path / "bakes", f"{WORKFLOWS}/ci.yaml", old, new)
    assert f"[{audit}]" in zizmor_problems(folder)


def test_a_planted_pin_is_seen() -> None:
    pinned = f"      - uses: ada/act@{SHA} # v1.2.3\n"
    other = pinned.replace("0", "1")
    assert not unpinned_actions({"a": pinned, "b": f"{pinned}      - uses: $/.github/actions/a\n"})
    assert unpinned_actions({"a": pinned, "b": other})
    assert unpinned_actions({"a": pinned.replace(SHA, "v1")})
    assert unpinned_actions({"a": pinned.replace(" # v1.2.3", "")})
    assert unpinned_actions({"a": pinned.replace("v1.2.3", "main")})


def test_every_tool_has_a_version(laid_out: Path) -> None:
    texts: dict[str, list[str]] = {}
    for pattern in (".github/workflows/*", ".github/actions/*/*", ".gitlab*.yml", ".gitlab/ci/*"):
        for file in laid_out.glob(f"*/{pattern}"):
            name = file.relative_to(laid_out).as_posix().partition("/")[2]
            if ".header." not in name and ".content." not in name:
                texts.setdefault(name, []).append(file.read_text("utf-8"))
    assert {".github/workflows/train.yaml", ".gitlab/ci/cloud.yml"} <= texts.keys()
    found = {
        problem for name in texts for text in texts[name] for problem in unpinned_tools(name, text)
    }
    assert not found


@pytest.mark.parametrize(
    "text",
    [
        "script:\n  - pip install --quiet checkov\n",
        "script:\n  - pip install 'checkov>=3.2'\n",
        "script:\n  - uv tool install --with=pip azure-cli\n",
        "script:\n  - conda create --yes --prefix /opt/cli awscli\n",
        "script:\n  - pipx run --spec checkov checkov --directory .\n",
        "script:\n  - az extension add --yes --name=ml\n",
        "script:\n  - curl --fail https://example.com/a.tar.gz | tar xz -C /opt\n",
        "script:\n  - curl --fail --output /tmp/a https://example.com/a\n",
        "script:\n  - docker cp $(docker create anchore/grype):/grype /usr/local/bin/\n",
        "a:\n  image: docker:29\n",
        "a:\n  image:\n    name: docker\n",
        "a:\n  services: [docker:latest]\n",
        f"      - uses: google-github-actions/setup-gcloud@{SHA} # v3.0.1\n      - run: gcloud\n",
        (
            f"    - uses: conda-incubator/setup-miniconda@{SHA} # v4.0.1\n"
            "      with:\n        miniforge-version: latest\n"
        ),
    ],
)  # fmt: skip
def test_a_planted_tool_is_seen(text: str) -> None:
    assert len(unpinned_tools(".gitlab-ci.yml" if "uses:" not in text else "a", text)) == 1


def test_a_tool_with_a_version_is_none() -> None:
    assert not unpinned_tools(
        ".gitlab-ci.yml",
        "a:\n  image: docker:29.8.1\n  services: [docker:29.8.1-dind]\n  script:\n"
        "  - pip install --quiet 'checkov>=3.2,<4' --editable . --group dev\n"
        "  - uv tool install awscli==1.46.3\n  - conda create --prefix /opt/cli awscli=1.46.0\n",
    )


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (f"{WORKFLOWS}/docs.yaml", "needs: build", "needs: built"),
        (f"{WORKFLOWS}/docs.yaml", "steps.publish.", "steps.publishing."),
        (f"{WORKFLOWS}/ci.yaml", "matrix.os", "matrix.system"),
        (f"{WORKFLOWS}/ci.yaml", "python-version: $", "python: $"),
        (f"{WORKFLOWS}/model.yaml", "inputs.current", "inputs.present"),
        (f"{WORKFLOWS}/images.yaml", "[train, api]", "[train, web]"),
        (f"{WORKFLOWS}/ci.yaml", "run: uv run mypy", "run: ${{ vars.UNEXPLAINED }}"),
        (".gitlab/ci/checks.yml", "extends: .on-change", "extends: .on-charge"),
        (".gitlab/ci/images.yml", "needs: [model]", "needs: [models]"),
        (".gitlab/ci/docs.yml", "stage: docs", "stage: pages"),
        (".gitlab/ci/images.yml", "[.image, script]", "[.images, script]"),
        (".gitlab-ci.yml", "  - local: .gitlab/ci/docs.yml\n", ""),
        (".gitlab-ci.yml", "inputs.current", "inputs.present"),
        (".gitlab-ci.yml", "  - docs\n", ""),
    ],
)
def test_a_planted_name_is_seen(tmp_path: Path, name: str, old: str, new: str) -> None:
    project = next(path for path in plant(tmp_path / "bakes", name, old, new).iterdir())
    assert unknown_parts(Forest.of(Tree.read(project)))


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_the_default_bakes_name_what_is_there(tmp_path: Path, ci: str) -> None:
    assert not unknown_parts(Forest.of(Tree.read(bake({"ci": ci}, tmp_path).path)))
