"""What is read from the Hugging Face Hub or a folder, and what is said when that fails."""

import sys
from pathlib import Path

import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.hub import explaining, find_source


def test_what_is_read_from_the_hub_is_said_before(capsys, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")
    assert find_source("owner/name", "data.source", "v1") == ("owner/name", "v1")
    assert find_source("owner/name@v2", "data.source") == ("owner/name", "v2")
    assert find_source("owner/name", "data.source") == ("owner/name", None)
    told = capsys.readouterr().out.splitlines()
    assert [line.split(", from")[0] for line in told] == [
        f"data.source: reading owner/name, revision {revision}" for revision in ("v1", "v2", "main")
    ]
    assert all("from https://mirror.example" in line for line in told)


def test_a_folder_comes_before_a_name_and_nothing_is_fetched(capsys):
    Path("owner/name@v2").mkdir(parents=True)
    assert find_source("owner/name@v2", "data.source") == (str(Path("owner/name@v2")), None)
    assert capsys.readouterr().out == ""
    with pytest.raises(UserError, match="has no revision v1"):
        find_source("owner", "data.source", "v1")


@pytest.mark.parametrize("name", ["name", "./owner", "../name", "/a/b", "a/b/c", "a b/c", "a/"])
def test_what_can_be_no_name_on_the_hub_is_refused(name):
    with pytest.raises(UserError, match=r"data\.source is .* no such folder"):
        find_source(name, "data.source")


def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with (
        pytest.raises(UserError, match=r"^A needs .* `pip install --group transformers`$") as error,
        explaining("A", "transformers"),
    ):
        import transformers  # noqa: F401
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("raised", "line"),
    [
        (OSError("no network\nat all\n\nand much more"), "A can't be read: no network at all"),
        (ImportError("sentencepiece", name="sentencepiece"), "A can't be read: sentencepiece"),
        (RuntimeError(), "A can't be read: RuntimeError"),
        (UserError("said already"), "said already"),
    ],
)
def test_other_errors_become_one_line(raised, line):
    with pytest.raises(UserError) as error, explaining("A", "transformers"):
        raise raised
    assert str(error.value) == line
