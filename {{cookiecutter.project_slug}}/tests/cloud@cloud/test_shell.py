from pathlib import Path

import pytest

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.cloud.shell import Command, Login, run, setting

LOGIN = Login(["account", "check"], "account login")
COMMANDS = [
    Command(["first", "a b"]),
    Command(["reader", "-"], fed_by=["feeder"]),
    Command(["last"]),
]
NAMES = ("account", "feeder", "first", "last", "reader")


def test_a_dry_run_prints_the_commands_and_starts_none(programs, capsys):
    programs.install(*NAMES)
    run(COMMANDS, LOGIN, dry_run=True)
    assert capsys.readouterr().out == "$ first 'a b'\n$ feeder | reader -\n$ last\n"
    assert programs.calls() == []


def test_the_commands_run_in_order_after_the_login_is_checked(programs):
    programs.install(*NAMES)
    run(COMMANDS, LOGIN, dry_run=False)
    assert programs.calls() == [
        ["account", "check"],
        ["first", "a b"],
        ["feeder"],
        ["reader", "-"],
        ["last"],
    ]


def test_a_command_reads_the_output_of_another(programs):
    programs.install("account")
    programs.install("feeder", script="echo secret")
    programs.install("reader", script='read -r word; echo "$word" > given')
    run(COMMANDS[1:2], LOGIN, dry_run=False)
    assert Path("given").read_text("utf-8") == "secret\n"


@pytest.mark.parametrize(
    ("failing", "last"), [("first", "first"), ("reader", "reader"), ("feeder", "feeder")]
)
def test_nothing_follows_a_command_that_fails(programs, failing, last):
    programs.install(*NAMES)
    programs.install(failing, script="exit 3")
    with pytest.raises(UserError, match=f"`.*{failing}.*` failed with exit status 3"):
        run(COMMANDS, LOGIN, dry_run=False)
    assert programs.calls()[-1][0] == last


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_program_is_named_before_any_is_started(programs, name):
    programs.install(*set(NAMES) - {name})
    with pytest.raises(UserError, match=f"^{name} is not installed"):
        run(COMMANDS, LOGIN, dry_run=False)
    assert programs.calls() == []


def test_nothing_runs_without_a_login(programs):
    programs.install(*NAMES)
    programs.install("account", script="exit 1")
    with pytest.raises(UserError, match="run `account login`"):
        run(COMMANDS, LOGIN, dry_run=False)
    assert programs.calls() == [["account", "check"]]


def test_a_setting_may_stand_in_dotenv(monkeypatch):
    monkeypatch.setenv("A_SETTING", "")
    monkeypatch.delenv("A_SETTING")
    with pytest.raises(UserError, match="A_SETTING is not set"):
        setting("A_SETTING")
    Path(".env").write_text("A_SETTING=value\n", "utf-8")
    assert setting("A_SETTING") == "value"
