"""A bake over a folder that holds files: what is somebody's own stays theirs."""

import os
import subprocess
from pathlib import Path

import pytest
from bakery import (
    TEMPLATE,
    TREE,
    Answers,
    command_line,
    marks,
    raw_questions,
    template_files,
)
from cookiecutter.generate import is_copy_only_path

SLUG = "quartz_reader"
MINE = b"mine\n"
ANSWERS = {"project_slug": SLUG}
# A project with nearly all parts, and one with hardly any
MUCH = {**ANSWERS, "serving": "bentoml", "ci": "gitlab", "cloud": "aws", "environment": "conda"}
LITTLE = {
    **ANSWERS,
    "tracker": "none",
    "onnx_export": "no",
    "serving": "none",
    "docker": "no",
    "ci": "none",
    "license": "Apache-2.0",
}
# Own files that marks could be read into, and own files where a part lies that LITTLE has not
OWN = [
    "a@aws.csv",
    "notes@mlflow.md",
    "x@docker/y.txt",
    "docs/page@fastapi.md",
    "src/own@onnx/deep/file@mit.py",
    ".git/refs/heads/fix@aws",
    "main.py",
    "environment.yml",
    "infra/prod.tf",
    "infra/aws/main.tf",
    "dockerfiles/own.dockerfile",
    "license",
]
RENDERED = [name.replace(TREE.name, SLUG) for name in template_files()]


def fill(folder: Path, names: list[str]) -> dict[str, bytes]:
    """Write a file of somebody's own at each path; return the content of each."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(MINE)
    return dict.fromkeys(names, MINE)


def files(folder: Path) -> set[str]:
    """List the files of a folder."""
    found = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return {path.relative_to(folder).as_posix() for path in found}


def refusals(text: str) -> list[str]:
    """Return the lines that the hook wrote."""
    return [line for line in text.splitlines() if line.startswith("mlbake:")]


def content(folder: Path, names: dict[str, bytes]) -> dict[str, bytes]:
    """Read those of the files that are still there."""
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def over(
    folder: Path, answers: Answers, *options: str, code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Bake with the command line into the folder above, over what is there."""
    done = subprocess.run(
        [*command_line(answers), "--output-dir", str(folder.parent), *options],
        env={**os.environ, "TMPDIR": str(folder.parents[1])},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Name the folder of a project; what lies beside `out` is outside."""
    path = tmp_path / "out" / SLUG
    path.mkdir(parents=True)
    return path


@pytest.mark.parametrize("answers", [ANSWERS, MUCH, LITTLE], ids=["default", "much", "little"])
@pytest.mark.parametrize("options", [["-f"], ["-f", "-s"]], ids=" ".join)
def test_what_the_template_does_not_write_stays(
    folder: Path, tmp_path: Path, answers: Answers, options: list[str]
) -> None:
    over(tmp_path / "new" / SLUG, answers)
    written = files(tmp_path / "new" / SLUG)
    own = fill(folder, [name for name in OWN if name not in written])
    (folder / "infra/empty").mkdir()
    (folder / "dockerfiles/api").mkdir()
    over(folder, answers, *options)

    assert content(folder, own) == own
    assert (folder / "infra/empty").is_dir()
    assert (folder / "dockerfiles/api").is_dir()
    assert files(folder) == written | set(own)


@pytest.mark.parametrize("answers", [ANSWERS, MUCH, LITTLE], ids=["default", "much", "little"])
def test_skipping_files_that_exist_keeps_every_one(folder: Path, answers: Answers) -> None:
    """Those too that the engine copies without rendering, or that this bake would rename to."""
    mark = marks({}).pattern
    names = {mark.sub("", name) for name in RENDERED}
    # Names of the template itself, as a bake leaves them that was stopped
    names |= {name for name in RENDERED if mark.search(name)} - {"LICENSE@bsd", "LICENSE@mit"}
    own = fill(folder, sorted(names))
    (folder / "configs/trainer/cpu.yaml").chmod(0o600)
    over(folder, answers, "-f", "-s")

    assert content(folder, own) == own
    assert files(folder) == set(own)
    assert (folder / "configs/trainer/cpu.yaml").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("answers", [ANSWERS, LITTLE], ids=["default", "little"])
def test_overwriting_gives_the_whole_project(
    folder: Path, tmp_path: Path, answers: Answers
) -> None:
    """What a stopped bake left is completed, and no file of another choice is deleted."""
    over(tmp_path / "new" / SLUG, answers)
    new = {
        name: (tmp_path / "new" / SLUG / name).read_bytes()
        for name in files(tmp_path / "new" / SLUG)
    }
    mark = marks({}).pattern
    final = {mark.sub("", name) for name in RENDERED}
    marked = {name for name in RENDERED if mark.search(name)} - {"LICENSE@bsd", "LICENSE@mit"}
    own = fill(folder, sorted(final | marked))
    over(folder, answers, "-f")

    assert content(folder, new) == new
    assert files(folder) == final
    others = {name: MINE for name in own if name in final - set(new)}
    assert content(folder, others) == others


def test_a_folder_with_the_name_of_a_file_stays(folder: Path) -> None:
    (folder / "LICENSE").mkdir()
    over(folder, ANSWERS, "-f")
    assert (folder / "LICENSE").is_dir()
    assert not [name for name in files(folder) if "@" in name]


@pytest.mark.parametrize("name", ["README.md", "src", "configs/trainer/cpu.yaml"])
def test_what_may_not_be_written_to_is_named(folder: Path, name: str) -> None:
    own = fill(folder, ["README.md", "src/own.py", "configs/trainer/cpu.yaml"])
    mode = (folder / name).stat().st_mode
    (folder / name).chmod(mode & ~0o222)
    if os.access(folder / name, os.W_OK):
        pytest.skip("this user may write to anything")
    done = over(folder, ANSWERS, "-f", code=1)
    (folder / name).chmod(mode)
    assert refusals(done.stderr) == [
        f"mlbake: '{name}' is read-only; a bake could stop there, half done"
    ]
    assert files(folder) == set(own)


def test_what_tools_keep_in_a_project_is_no_obstacle(folder: Path, tmp_path: Path) -> None:
    own = fill(folder, [".dvc/cache/files/md5/ab/cd", "infra/aws/.terraform/lock"])
    (folder / ".dvc/cache/files/md5/ab/cd").chmod(0o444)
    (tmp_path / "plugins").mkdir()
    (folder / "infra/aws/.terraform/plugins").symlink_to(tmp_path / "plugins")
    over(folder, ANSWERS, "-f")
    assert content(folder, own) == own
    assert (folder / "infra/aws/.terraform/plugins").is_symlink()


def test_links_inside_the_folder_stay_links(folder: Path) -> None:
    own = fill(folder, ["ours/license.txt", "ours/attributes.txt", "ours/training/mine.py"])
    (folder / "LICENSE").symlink_to("ours/license.txt")
    (folder / ".gitattributes").symlink_to("ours/attributes.txt")
    over(folder, ANSWERS, "-f", "-s")
    assert content(folder, own) == own
    assert (folder / "LICENSE").is_symlink()
    assert (folder / ".gitattributes").is_symlink()


@pytest.mark.parametrize("options", [["-f"], ["-f", "-s"]], ids=" ".join)
def test_a_link_to_a_folder_of_data_is_not_followed(
    folder: Path, tmp_path: Path, options: list[str]
) -> None:
    own = fill(tmp_path / "outside", ["x@docker/y", "a@aws.csv", "LICENSE@bsd"])
    (tmp_path / "outside/a@aws.csv").chmod(0o444)
    for link in ("models", "data/raw/pictures", "data/processed"):
        (folder / link).parent.mkdir(parents=True, exist_ok=True)
        (folder / link).symlink_to(tmp_path / "outside")
    over(folder, ANSWERS, *options)
    assert content(tmp_path / "outside", own) == own
    assert files(tmp_path / "outside") == set(own)


@pytest.mark.parametrize("link", ["infra", "configs/trainer", "LICENSE", ".gitignore", "docs"])
def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path, link: str) -> None:
    own = fill(tmp_path / "outside", ["trainer/cpu.yaml"])
    (folder / link).parent.mkdir(exist_ok=True)
    (folder / link).symlink_to(tmp_path / "outside")
    done = over(folder, ANSWERS, "-f", code=1)
    assert refusals(done.stderr) == [
        f"mlbake: '{link}' is a link that leads out of the folder; a bake could write there"
    ]
    assert files(tmp_path / "outside") == set(own)
    assert files(folder) <= {link}


@pytest.mark.parametrize("name", ["LICENSE@bsd", ".mlbake-before/files/README.md"])
def test_what_a_stopped_bake_left_is_named(folder: Path, name: str) -> None:
    own = fill(folder, [name, "README.md"])
    (line,) = refusals(over(folder, ANSWERS, "-f", code=1).stderr)
    assert name.partition("/")[0] in line
    assert content(folder, own) == own
    assert files(folder) == set(own)


def test_a_file_in_place_of_a_folder_is_named(folder: Path) -> None:
    own = fill(folder, ["infra"])
    (line,) = refusals(over(folder, ANSWERS, "-f", code=1).stderr)
    assert "'infra' is a file" in line
    assert files(folder) == set(own)


def test_without_overwriting_nothing_changes(folder: Path) -> None:
    own = fill(folder, ["README.md", "a@aws.csv"])
    assert "already exists" in over(folder, ANSWERS, code=1).stdout
    assert content(folder, own) == own
    assert files(folder) == set(own)


def test_a_project_baked_again_is_the_same(folder: Path) -> None:
    folder.rmdir()
    over(folder, ANSWERS)
    before = content(folder, dict.fromkeys(files(folder), b""))
    over(folder, ANSWERS, "-f")
    over(folder, ANSWERS, "-f", "-s")
    assert content(folder, dict.fromkeys(files(folder), b"")) == before


def test_the_hook_knows_what_projects_have_at_their_top() -> None:
    hook = (TEMPLATE / "hooks/pre_gen_project.py").read_text("utf-8")
    folders, files_ = (
        hook.split(f'{name} = """')[1].split('"""')[0].split()
        for name in ("TOP_FOLDERS", "TOP_FILES")
    )
    tops = [marks({}).pattern.sub("", name).partition("/") for name in template_files()]
    assert set(folders) == {top for top, below, _ in tops if below}
    assert set(files_) == {top for top, below, _ in tops if not below}


def test_the_engine_empties_no_folder() -> None:
    """It deletes the folder that it copies a folder of the template to, with all that is there."""
    names = {folder.as_posix() for name in template_files() for folder in Path(name).parents}
    settings = {"cookiecutter": raw_questions()}
    assert not [name for name in names if is_copy_only_path(name, settings)]
