"""Azure: names of resources that Terraform has made, and the login of its commands."""

import os

from .shell import Login

GROUP = "{{ cookiecutter.__cloud_name }}"
# Part of the names that must be unique in all of Azure
UNIQUE = os.environ.get("AZURE_UNIQUE") or "{{ cookiecutter.__azure_unique }}"
WORKSPACE = f"aml{UNIQUE}"
# A token is requested because `az account show` succeeds even when the login has expired
LOGIN = Login(["az", "account", "get-access-token", "--output=none"], "az login")
