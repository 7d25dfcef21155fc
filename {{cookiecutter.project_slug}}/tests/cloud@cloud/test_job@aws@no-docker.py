import json
import re

import pytest

NAME = "{{ cookiecutter.__cloud_name }}"
SOURCE = "s3://{{ cookiecutter.__bucket }}/source/c0ffee.tar.gz"


@pytest.mark.parametrize("gpu", [False, True])
def test_a_job_trains_the_committed_source(shown, monkeypatch, gpu):
    monkeypatch.setenv("SOURCE_COMMIT", "c0ffee-dirty")
    commands = shown("train", "model=mlp", "seed=1", *(["--gpu"] if gpu else []))
    archive, upload, create = commands
    assert archive == ["git", "archive", "--format=tar.gz", "HEAD"]
    assert upload == ["aws", "s3", "cp", "--region=eu-central-1", "-", SOURCE]

    *request, text = create
    region = "--region=eu-central-1"
    assert request == ["aws", "sagemaker", "create-training-job", region, "--cli-input-json"]
    job = json.loads(text)
    assert re.fullmatch(NAME + r"-\d{8}-\d{6}", job["TrainingJobName"])
    assert job["RoleArn"] == f"arn:aws:iam::123456789012:role/{NAME}-training"
    assert job["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] == SOURCE
    assert job["Environment"]["SOURCE_COMMIT"] == "c0ffee"
    assert job["ResourceConfig"]["InstanceType"] == ("ml.g5.xlarge" if gpu else "ml.m5.xlarge")
    algorithm = job["AlgorithmSpecification"]
    assert ("-gpu-" if gpu else "-cpu-") in algorithm["TrainingImage"]
    words = ["model=mlp", "seed=1"]
    kept = {"checkpoint=/opt/ml/model/model.ckpt", "hydra.output_subdir=/opt/ml/model/hydra"}
    assert kept < set(algorithm["ContainerArguments"])
    assert algorithm["ContainerArguments"][3:] == (["trainer=gpu", *words] if gpu else words)
