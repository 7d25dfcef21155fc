import pytest

from {{ cookiecutter.project_slug }}.cloud.images import REGISTRY


def values(create):
    """Read the fields of the file that a job is started with."""
    return dict(word.split("=", 2)[1:] for word in create if word.startswith("--set="))


@pytest.mark.parametrize("gpu", [False, True])
def test_a_job_runs_the_image_that_is_built_and_pushed(shown, gpu):
    commands = shown("train", "model=mlp", *(["--gpu"] if gpu else []))
    extension, build, login, push, create = commands
    assert extension[:3] == ["az", "extension", "add"]
    image = push[-1]
    assert image.startswith(f"{REGISTRY}.azurecr.io/{{ cookiecutter.project_slug }}-train:c0ffee-")
    assert {"--file=dockerfiles/train.dockerfile", f"--tag={image}"} < set(build)
    assert any("TORCH_INDEX=https://download.pytorch.org/whl/cu" in word for word in build) == gpu
    assert login[:3] == ["az", "acr", "login"]
    assert login[-1] == f"--name={REGISTRY}"
    words = "trainer=gpu model=mlp" if gpu else "model=mlp"
    assert values(create) == {
        "compute": f"azureml:{'gpu' if gpu else 'cpu'}",
        "environment_variables.ARGUMENTS": f"train {words}",
        "environment.image": image,
    }
