# Workflows of this repository get short-lived credentials: there is no key to keep
resource "aws_iam_openid_connect_provider" "ci" {
  count = var.oidc_provider == null ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = [local.audience]
}

locals {
  # GitHub adds an @ and a number to the names of owner and repository, but for repositories from before July
  # 2026, unless they ask for it; names hold no @
  repositories = [
    "repo:{{ cookiecutter.repo_owner }}@*/{{ cookiecutter.project_slug }}@*",
    "repo:{{ cookiecutter.repo_owner }}/{{ cookiecutter.project_slug }}",
  ]
  issuer   = "token.actions.githubusercontent.com"
  audience = "sts.amazonaws.com"
  # Which workflows may take a role on
  subjects = {
    data  = [for name in local.repositories : "${name}:*"]
    train = [for name in local.repositories : "${name}:environment:training"]
{%- if cookiecutter.__deploys %}

    deploy = [for name in local.repositories : "${name}:environment:production"]
{%- endif %}
  }
}
