"""`cloud deploy`: the service as a function of Cloud Run, built from its source."""

from .provider import NAME, account, place
from .shell import Command, setting


def deploy_commands() -> list[Command]:
    """Write the function's requirements to requirements.txt, and deploy it from its source.

    Raises:
        UserError: A setting is missing.
    """
    project = setting("GOOGLE_CLOUD_PROJECT")
    return [
        Command(["dependency-groups", "--output", "requirements.txt", "serve"]),
        Command(
            [
                *("gcloud", "functions", "deploy", NAME, "--gen2", "--quiet", *place()),
                "--runtime=python{{ cookiecutter.python_version | replace('.', '') }}",
                "--source=.",
                "--entry-point=handle",
                "--trigger-http",
                "--memory={{ '1Gi' if cookiecutter.onnx_export else '2Gi' }}",
{%- if not cookiecutter.onnx_export %}
                "--set-build-env-vars=PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu",
{%- endif %}
                "--cpu=1",
                "--concurrency=4",
                "--max-instances=3",
                "--timeout=30s",
                # After a rollback, a new revision gets no requests by itself
                "--serve-all-traffic-latest-revision",
                f"--service-account={account('serving')}",
                f"--build-service-account=projects/{project}/serviceAccounts/{account('build')}",
            ]
        ),
    ]
