import pytest

from {{ cookiecutter.project_slug }}.cloud import provider

PROGRAMS = ("aws", "az", "dependency-groups", "docker", "gcloud", "git")


@pytest.fixture(params=["train"{{ ', "deploy"' if cookiecutter.__deploys else '' }}])
def command(request):
    return request.param


def test_the_commands_run_as_they_are_printed(cli, command, programs, split):
    programs.install(*PROGRAMS)
    code, output, error = cli("cloud", command)
    assert (code, error) == (0, "")
    assert programs.calls() == [list(provider.LOGIN.check), *split(output)]


def test_a_missing_login_is_one_line(cli, command, programs):
    programs.install(*PROGRAMS)
    programs.install(provider.LOGIN.check[0], script="exit 1")
    code, output, error = cli("cloud", command)
    assert (code, output) == (2, "")
    assert error == f"Error: you are not logged in: run `{provider.LOGIN.remedy}`\n"


def test_a_missing_setting_is_named(cli, command, settings, monkeypatch):
    for name in settings:
        with monkeypatch.context() as patch:
            patch.setenv(name, "")
            code, output, error = cli("cloud", command, "--dry-run")
        assert (code, output, len(error.splitlines())) == (2, "", 1)
        assert error.startswith(f"Error: {name} is not set")
