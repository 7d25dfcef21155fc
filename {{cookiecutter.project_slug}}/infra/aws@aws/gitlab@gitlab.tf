# Pipelines of this project get short-lived credentials: there is no key to keep
resource "aws_iam_openid_connect_provider" "ci" {
  count = var.oidc_provider == null ? 1 : 0

  url            = "https://gitlab.com"
  client_id_list = ["https://gitlab.com"]
}

locals {
  # GitLab uses the second one in projects that ask for it
  names = [
    "project_path:{{ cookiecutter.repo_owner }}/{{ cookiecutter.project_slug }}",
    "project_id:${var.gitlab_project_id}",
  ]
  # Whoever registers the names anew gets other numbers
  project = {
    "gitlab.com:aud"          = "https://gitlab.com"
    "gitlab.com:namespace_id" = var.gitlab_namespace_id
    "gitlab.com:project_id"   = var.gitlab_project_id
  }
  main = {
    "gitlab.com:ref_protected" = "true"
    "gitlab.com:sub"           = [for name in local.names : "${name}:ref_type:branch:ref:main"]
  }

  # The token of a pipeline that may take a role on has all of these
  trusted = {
    # Any branch, because a merge request comes from one
    data = {
      StringEquals = local.project
      StringLike   = { "gitlab.com:sub" = [for name in local.names : "${name}:ref_type:branch:ref:*"] }
    }
    train = { StringEquals = merge(local.project, local.main) }
{%- if cookiecutter.__deploys %}

    deploy = { StringEquals = merge(local.project, local.main) }
{%- endif %}
  }
}
