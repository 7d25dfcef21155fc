import json
import re

import pytest

NAME = "{{ cookiecutter.__cloud_name }}"
REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.mark.parametrize("gpu", [False, True])
def test_a_job_runs_the_image_that_is_built_and_pushed(shown, gpu):
    commands = shown("train", "model=mlp", "seed=1", *(["--gpu"] if gpu else []))
    build, token, login, push, logout, create = commands
    image = push[-1]
    gpu_or_not = "-gpu" if gpu else ""
    assert re.fullmatch(rf"{REGISTRY}/{NAME}/train:c0ffee-\d+{gpu_or_not}", image)
    assert build[:2] == ["docker", "build"]
    assert {"--file=dockerfiles/train.dockerfile", f"--tag={image}"} < set(build)
    assert any("TORCH_INDEX=https://download.pytorch.org/whl/cu" in word for word in build) == gpu
    assert token == ["aws", "ecr", "get-login-password", "--region=eu-central-1"]
    assert push == ["docker", "push", image]
    assert login[-1] == logout[-1] == REGISTRY

    *request, text = create
    region = "--region=eu-central-1"
    assert request == ["aws", "sagemaker", "create-training-job", region, "--cli-input-json"]
    job = json.loads(text)
    assert re.fullmatch(NAME + r"-\d{8}-\d{6}", job["TrainingJobName"])
    assert job["RoleArn"] == f"arn:aws:iam::123456789012:role/{NAME}-training"
    assert job["ResourceConfig"]["InstanceType"] == ("ml.g5.xlarge" if gpu else "ml.m5.xlarge")
    algorithm = job["AlgorithmSpecification"]
    assert algorithm["TrainingImage"] == image
    assert algorithm["ContainerEntrypoint"][-1] == "train"
    words = ["model=mlp", "seed=1"]
    kept = {"checkpoint=/opt/ml/model/model.ckpt", "hydra.output_subdir=/opt/ml/model/hydra"}
    assert kept < set(algorithm["ContainerArguments"])
    assert algorithm["ContainerArguments"][3:] == (["trainer=gpu", *words] if gpu else words)
