"""The suite's own home folder: registries are the only settings of its caller that get into it."""

import subprocess
import sys
import tomllib
from pathlib import Path

import hostile_home
import pytest
import registries
from bakery import TEMPLATE
from machine import clean_environment, furnish, plain_environment
from tools import wait_until

# Quick ones, of each kind of tool: Git, DVC, a cloud's client, cookiecutter, Terraform
CHOSEN = [
    "test_federation.py::test_a_token_opens_what_it_should[github-main-aws]",
    "test_pipeline_jobs.py::test_a_clone_holds_what_was_baked",
    "test_questions.py::test_the_fast_bake_is_the_command_lines",
    "test_remotes.py::test_data_is_pushed_and_pulled[aws]",
    "test_repository.py::test_the_pictures_are_those_of_todays_bake",
]
# Files of a home folder, and what of them is about registries
FILES = {
    ".config/pip/pip.conf": """[global]
index-url = https://a.example/simple
user = true
[install]
extra-index-url =
    file:///b
    file:///c
no-deps = true
""",
    ".config/uv/uv.toml": """offline = true
no-index = false
[[index]]
name = "a"
url = "https://a.example"
[pip]
find-links = ["/b"]
require-hashes = true
""",
    ".npmrc": """prefix=/a
registry=https://a.example/
@b:registry=https://b.example/
//a.example/:_authToken=c
cafile=/d
cache-max=1
""",
    ".terraformrc": """disable_checkpoint = true
provider_installation {
  direct {
    exclude = ["a/*/*"]
  }
}
credentials "app.terraform.io" {
  token = "b"
}
""",
}
KEPT = {
    ".config/pip/pip.conf": """[global]
index-url = https://a.example/simple
extra-index-url = file:///b file:///c
""",
    ".config/uv/uv.toml": """no-index = false
index = [{"name" = "a", "url" = "https://a.example"}]
find-links = ["/b"]
""",
    ".npmrc": """registry=https://a.example/
@b:registry=https://b.example/
//a.example/:_authToken=c
cafile=/d
""",
    ".terraformrc": """provider_installation {
  direct {
    exclude = ["a/*/*"]
  }
}
""",
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def read(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files}


def test_files_about_registries_are_copied_without_anything_else(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    write(old, FILES)
    registries.copy({}, old, new)
    assert read(new) == KEPT
    tomllib.loads((new / ".config/uv/uv.toml").read_text("utf-8"))


def test_files_about_registries_are_found_where_variables_say(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    variables = ("PIP_CONFIG_FILE", "UV_CONFIG_FILE", "NPM_CONFIG_USERCONFIG", "TF_CLI_CONFIG_FILE")
    write(tmp_path, FILES)
    caller = {name: str(tmp_path / file) for name, file in zip(variables, FILES, strict=True)}
    registries.copy(caller, old, new)
    assert read(new) == KEPT


def test_providers_of_terraform_in_the_home_folder_are_found(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    write(old, {".terraform.d/plugins/a": "", ".terraform.d/credentials.tfrc.json": "{}"})
    registries.copy({}, old, new)
    assert (new / ".terraform.d/plugins/a").is_file()
    assert not (new / ".terraform.d/credentials.tfrc.json").exists()


def test_nothing_of_a_hostile_home_is_left(tmp_path: Path) -> None:
    hostile, home = tmp_path / "hostile", tmp_path / "home"
    hostile.mkdir()
    home.mkdir()
    caller = {"PATH": "/bin", "HOME": str(tmp_path), "PIP_INDEX_URL": "https://a.example/simple"}
    caller = hostile_home.move_in(hostile, caller)
    clean = clean_environment(caller, home)
    assert (clean["PATH"], clean["PIP_INDEX_URL"]) == ("/bin", "https://a.example/simple")
    assert clean["HOME"] == str(home)
    assert [name for name in hostile_home.VARIABLES if name in clean] == []
    assert [name for name, value in clean.items() if str(hostile) in value] == []
    furnish(home, caller)
    assert sorted(read(home)) == [".docker/config.json", ".gitconfig"]
    assert not read(home).items() & read(hostile).items()


def test_no_proxy_stands_before_this_machine(tmp_path: Path) -> None:
    proxies = {"https_proxy": "http://a.example:3128", "no_proxy": "b.example"}
    clean = clean_environment({"HOME": str(tmp_path), **proxies}, tmp_path)
    assert clean["https_proxy"] == "http://a.example:3128"
    assert clean["NO_PROXY"] == clean["no_proxy"] == "b.example,localhost,127.0.0.1"


def test_chosen_tests_pass_in_a_hostile_home() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, hostile_home.__file__, *command, *(f"tests/{name}" for name in CHOSEN)],
        cwd=TEMPLATE,
        env=plain_environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_server_is_waited_for_as_long_as_it_lives() -> None:
    answers = iter([False, False, True])
    wait_until(lambda: next(answers), lambda: "")
    with pytest.raises(AssertionError, match="it fell over"):
        wait_until(lambda: False, lambda: "it fell over")
    with pytest.raises(AssertionError, match=r"not ready after 0\.2 s"):
        wait_until(lambda: False, lambda: "", patience=0.2)
