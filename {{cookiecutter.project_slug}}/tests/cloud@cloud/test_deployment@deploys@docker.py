from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UPDATE = {{ {
  "aws": "aws lambda update-function-code",
  "azure": "az containerapp update",
  "gcp": "gcloud run services update",
}.get(cookiecutter.cloud) | tojson }}
OTHER = "registry.test/image@sha256:1"


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
    [update] = [words for words in commands if " ".join(words).startswith(UPDATE)]
    assert any(word.endswith(f"={image(commands)}") for word in update)
    assert ":c0ffee" in image(commands)


def test_an_image_is_pushed_instead_of_built(shown):
    commands = shown("deploy", f"--image={OTHER}")
    pull, tag = commands[:2]
    assert pull[:2] == ["docker", "pull"]
    assert pull[-1] == OTHER
    assert tag == ["docker", "tag", OTHER, image(commands)]
    assert ["docker", "build"] not in [words[:2] for words in commands]


def test_the_first_image_updates_no_service(shown):
    commands = shown("deploy", "--push-only")
    assert image(commands).endswith(":latest")
    assert not any(" ".join(words).startswith(UPDATE) for words in commands)
