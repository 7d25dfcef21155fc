import pytest

{%- if cookiecutter.cloud == "gcp" %}

FORMER = "{{ cookiecutter.__cloud_name }}-00007-abc"
WRONG = ["another-00007-abc", "{{ cookiecutter.__cloud_name }}-1=50,another"]
SERVE = ["gcloud run services update-traffic"]
TAKEN = f"--to-revisions={FORMER}=100"
LISTS = ["gcloud run services describe", "gcloud run revisions list"]
{%- elif cookiecutter.cloud == "aws" %}

FORMER = "sha256:" + 64 * "f"
WRONG = ["latest", FORMER + "0", f"image@{FORMER}"]
SERVE = ["aws lambda update-function-code", "aws lambda wait function-updated-v2"]
REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
TAKEN = f"--image-uri={REGISTRY}/{{ cookiecutter.__cloud_name }}/service@{FORMER}"
LISTS = ["aws lambda get-function", "aws ecr describe-images"]
{%- else %}

FORMER = "sha256:" + 64 * "f"
WRONG = ["latest", FORMER + "0", f"image@{FORMER}"]
SERVE = ["az containerapp update"]
TAKEN = f"--image=acr{{ cookiecutter.__azure_unique }}.azurecr.io/{{ cookiecutter.project_slug }}-api@{FORMER}"
LISTS = ["az containerapp show", "az acr repository show-tags"]
{%- endif %}


def begin(commands, starts):
    """Say whether the commands are these, as their first words tell."""
    return all(
        " ".join(words).startswith(start) for words, start in zip(commands, starts, strict=True)
    )


def test_the_service_returns_to_what_is_named(shown):
    commands = shown("rollback", f"--to={FORMER}")
    assert begin(commands, SERVE)
    assert TAKEN in commands[0]


@pytest.mark.parametrize("name", WRONG)
def test_what_may_move_is_no_name(cli, name):
    code, output, error = cli("cloud", "rollback", "--dry-run", f"--to={name}")
    assert (code, output, len(error.splitlines())) == (2, "", 1)
    assert f"--to {name}: name a " in error


def test_without_a_name_the_former_ones_are_listed_and_nothing_changes(cli, programs, split):
    programs.install(LISTS[0].split()[0])
    code, output, error = cli("cloud", "rollback")
    assert code == 2
    assert error.startswith("Error: nothing was changed: name one of these ")
    assert len(error.splitlines()) == 1
    assert begin(split(output), LISTS)
    assert begin(programs.calls()[1:], LISTS)
