"""AWS: names of resources that Terraform has made, and the login of its commands."""

from .shell import Login

NAME = "{{ cookiecutter.__cloud_name }}"
BUCKET = "{{ cookiecutter.__bucket }}"
LOGIN = Login(["aws", "sts", "get-caller-identity"], "aws sso login")
