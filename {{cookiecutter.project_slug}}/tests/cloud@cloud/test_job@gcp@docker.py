import re

import pytest
from omegaconf import OmegaConf

BUCKET = "{{ cookiecutter.__bucket }}"
PLACE = ["--project=ada-lab", "--region=europe-west4"]
REGISTRY = "europe-west4-docker.pkg.dev/ada-lab/{{ cookiecutter.__cloud_name }}"


def described():
    """Read the job that `cloud train` wrote, its image and its arguments."""
    job = OmegaConf.to_container(OmegaConf.load("outputs/vertex.yaml"))
    [pool] = job["workerPoolSpecs"]
    return job, pool["containerSpec"]["imageUri"], pool["containerSpec"]["args"]


def test_a_job_runs_the_image_that_is_built_and_pushed(shown):
    image = f"{REGISTRY}/train-cpu:c0ffee"
    build, _, login, push, create = shown("train", "model=mlp", "data.batch_size=64")
    assert build[:2] == ["docker", "build"]
    assert build[-2:] == [f"--tag={image}", "."]
    assert login[-1] == "europe-west4-docker.pkg.dev"
    assert push == ["docker", "push", image]
    assert create[:4] == ["gcloud", "ai", "custom-jobs", "create"]
    assert {*PLACE, "--config=outputs/vertex.yaml"} < set(create)

    job, named, arguments = described()
    assert named == image
    assert job["serviceAccount"].endswith("-training@ada-lab.iam.gserviceaccount.com")
    assert arguments[:2] == ["model=mlp", "data.batch_size=64"]
    name = re.search(r"--display-name=(\S+)", " ".join(create))[1]
    assert arguments[2] == f"checkpoint=/gcs/{BUCKET}/runs/{name}/model.ckpt"
    assert arguments[3:] == [f"hydra.output_subdir=/gcs/{BUCKET}/runs/{name}/hydra"]


def test_a_gpu_needs_its_build_of_pytorch_and_its_trainer(shown):
    build, *_ = shown("train", "--gpu")
    assert any("TORCH_INDEX=https://download.pytorch.org/whl/cu" in word for word in build)
    job, image, arguments = described()
    assert image == f"{REGISTRY}/train-gpu:c0ffee"
    assert job["workerPoolSpecs"][0]["machineSpec"]["acceleratorCount"] == 1
    assert arguments[0] == "trainer=gpu"


@pytest.mark.parametrize("word", ["model.network.channels=[8,16]", "x='a: b'", 'x="#1"', "x=é, {}"])
def test_any_override_reaches_the_job_as_it_was_typed(shown, word):
    shown("train", word)
    assert described()[2][0] == word
