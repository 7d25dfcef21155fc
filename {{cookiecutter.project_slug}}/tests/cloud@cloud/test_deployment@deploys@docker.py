import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UPDATE = {{ {
  "aws": "aws lambda update-function-code",
  "azure": "az containerapp update",
  "gcp": "gcloud run services update",
}.get(cookiecutter.cloud) | tojson }}
OTHER = "registry.test/image@sha256:" + 32 * "f0"


def image(commands):
    """Return the name of the image that is pushed."""
    [name] = [words[-1] for words in commands if words[:2] == ["docker", "push"]]
    return name


def test_the_service_gets_the_image_that_is_built_and_pushed(shown):
    commands = shown("deploy")
    build = commands[0]
    assert build[:2] == ["docker", "build"]
    assert f"--tag={image(commands)}" in build
    [file] = [word for word in build if word.startswith("--file=")]
    assert (ROOT / file.removeprefix("--file=")).is_file()
    [update] = [words for words in commands if " ".join(words).startswith(f"{UPDATE} ")]
    assert any(word.endswith(f"={image(commands)}") for word in update)
    assert re.search(r":c0ffee-\d{14}$", image(commands))


def test_an_image_is_pushed_instead_of_built(shown):
    commands = shown("deploy", f"--image={OTHER}")
    pull, tag = commands[:2]
    assert pull[:2] == ["docker", "pull"]
    assert pull[-1] == OTHER
    assert tag == ["docker", "tag", OTHER, image(commands)]
    assert ["docker", "build"] not in [words[:2] for words in commands]
    # Its name doesn't say that it was made from the commit that is checked out
    assert re.search(r":f0f0f0f0f0f0-\d{14}$", image(commands))


def test_an_image_is_taken_by_its_digest_only(cli):
    code, output, error = cli("cloud", "deploy", "--dry-run", "--image=registry.test/image:tag")
    assert (code, output, len(error.splitlines())) == (2, "", 1)
    assert "--image registry.test/image:tag: add the digest" in error
{%- if cookiecutter.cloud != "gcp" %}


def test_the_first_image_updates_no_service(shown):
    commands = shown("deploy", "--push-only")
    assert image(commands).endswith(":latest")
    assert not any(" ".join(words).startswith(UPDATE) for words in commands)
{%- else %}


def test_the_new_image_gets_all_requests_after_a_rollback(shown):
    assert shown("deploy")[-1][3:5] == ["update-traffic", "{{ cookiecutter.__cloud_name }}"]
    assert shown("deploy")[-1][-1] == "--to-latest"
{%- endif %}
