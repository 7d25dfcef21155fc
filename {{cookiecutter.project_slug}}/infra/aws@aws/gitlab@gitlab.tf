# Pipelines of this project get short-lived credentials: there is no key to keep
resource "aws_iam_openid_connect_provider" "ci" {
  count = var.oidc_provider == null ? 1 : 0

  url            = "https://gitlab.com"
  client_id_list = [local.audience]
}

locals {
  project  = "project_path:{{ cookiecutter.repo_owner }}/{{ cookiecutter.project_slug }}"
  issuer   = "gitlab.com"
  audience = "https://gitlab.com"
  # Which pipelines may take a role on
  subjects = {
    data  = ["${local.project}:*"]
    train = ["${local.project}:ref_type:branch:ref:main"]
{%- if cookiecutter.__deploys %}

    deploy = ["${local.project}:ref_type:branch:ref:main"]
{%- endif %}
  }
}
