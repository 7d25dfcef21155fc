"""AWS: what Terraform has made there, and the login that its commands need."""

from .shell import Login

NAME = "{{ cookiecutter.__cloud_name }}"
BUCKET = "{{ cookiecutter.__bucket }}"
LOGIN = Login(["aws", "sts", "get-caller-identity"], "aws sso login")
