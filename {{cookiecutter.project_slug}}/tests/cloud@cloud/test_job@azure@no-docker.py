import pytest


def values(create):
    """Read the fields of the file that a job is started with."""
    return dict(word.split("=", 2)[1:] for word in create if word.startswith("--set="))


@pytest.mark.parametrize("gpu", [False, True])
def test_a_job_trains_the_uploaded_source(shown, gpu):
    extension, create = shown("train", "model=mlp", *(["--gpu"] if gpu else []))
    assert extension[:3] == ["az", "extension", "add"]
    given = values(create)
    assert given["compute"] == f"azureml:{'gpu' if gpu else 'cpu'}"
    words = "trainer=gpu model=mlp" if gpu else "model=mlp"
    assert given["environment_variables.ARGUMENTS"] == f"train {words}"
    assert given["environment_variables.SOURCE_COMMIT"] == "c0ffee"
{%- if cookiecutter.environment == "uv" %}
    index = given.get("environment_variables.TORCH_INDEX", "")
    assert index.startswith("https://download.pytorch.org/whl/cu") == gpu
{%- endif %}
