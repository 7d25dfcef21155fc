# Workflows of this repository get short-lived credentials: there is no key to keep
resource "aws_iam_openid_connect_provider" "ci" {
  count = var.oidc_provider == null ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = [local.audience]
}

locals {
  repository = "repo:{{ cookiecutter.repo_owner }}/{{ cookiecutter.project_slug }}"
  issuer     = "token.actions.githubusercontent.com"
  audience   = "sts.amazonaws.com"
  # Which workflows may take a role on
  subjects = {
    data  = "${local.repository}:*"
    train = "${local.repository}:environment:training"
{%- if cookiecutter.__deploys %}

    deploy = "${local.repository}:environment:production"
{%- endif %}
  }
}
