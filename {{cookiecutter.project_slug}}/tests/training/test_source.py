import os
import subprocess

from {{ cookiecutter.project_slug }}.training.source import source_commit

IDENTITY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "a"), ("EMAIL", "a@b.c"))
}


def test_a_container_names_its_commit_in_a_variable(monkeypatch):
    monkeypatch.setenv("SOURCE_COMMIT", "0123abc")
    assert source_commit() == "0123abc"


def test_a_repository_has_a_commit_and_another_folder_has_none(monkeypatch):
    monkeypatch.delenv("SOURCE_COMMIT", raising=False)
    assert source_commit() is None
    for arguments in (["init"], ["commit", "--allow-empty", "--message=first"]):
        command = ["git", *arguments, "--quiet"]
        subprocess.run(command, check=True, env=os.environ | IDENTITY)
    assert len(source_commit()) == 40
