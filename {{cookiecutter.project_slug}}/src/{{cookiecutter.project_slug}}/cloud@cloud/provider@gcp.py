"""Google Cloud: names of resources that Terraform has made, and the login of its commands."""

from .shell import Login, setting

NAME = "{{ cookiecutter.__cloud_name }}"
BUCKET = "{{ cookiecutter.__bucket }}"
LOGIN = Login(["gcloud", "auth", "print-access-token"], "gcloud auth login")


def place() -> list[str]:
    """Return the options that name the project and the region."""
    return [
        f"--project={setting('GOOGLE_CLOUD_PROJECT')}",
        f"--region={setting('GOOGLE_CLOUD_REGION')}",
    ]


def account(role: str) -> str:
    """Name the service account of a role: `training`, `serving` or `build`."""
    project = setting("GOOGLE_CLOUD_PROJECT")
    return f"{{ cookiecutter.__cloud_name[:20].rstrip('-') }}-{role}@{project}.iam.gserviceaccount.com"
