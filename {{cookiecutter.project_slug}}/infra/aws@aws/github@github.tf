# Workflows of this repository get short-lived credentials: there is no key to keep
resource "aws_iam_openid_connect_provider" "ci" {
  count = var.oidc_provider == null ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  # GitHub adds an @ and a number to the names of owner and repository, but for repositories from before July
  # 2026, unless they ask for it
  names = [
    "repo:{{ cookiecutter.repo_owner }}@${var.github_owner_id}/{{ cookiecutter.project_slug }}@${var.github_repository_id}",
    "repo:{{ cookiecutter.repo_owner }}/{{ cookiecutter.project_slug }}",
  ]
  # Whoever registers the names anew gets another number
  repository = {
    "token.actions.githubusercontent.com:aud"           = "sts.amazonaws.com"
    "token.actions.githubusercontent.com:repository_id" = var.github_repository_id
  }
  main = { "token.actions.githubusercontent.com:ref" = "refs/heads/main" }

  # The token of a workflow that may take a role on has all of these
  trusted = {
    data = { StringEquals = merge(local.repository, {
      "token.actions.githubusercontent.com:sub" = flatten([for name in local.names : [
        "${name}:ref:refs/heads/main", "${name}:pull_request", "${name}:environment:evaluation",
      ]])
    }) }
    train = { StringEquals = merge(local.repository, local.main, {
      "token.actions.githubusercontent.com:sub" = [for name in local.names : "${name}:environment:training"]
    }) }
{%- if cookiecutter.__deploys %}

    deploy = { StringEquals = merge(local.repository, local.main, {
      "token.actions.githubusercontent.com:sub" = [for name in local.names : "${name}:environment:${var.environment}"]
    }) }
{%- endif %}
  }
}
