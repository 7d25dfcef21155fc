output "bucket" {
  description = "Where data and the results of training jobs are"
  value       = aws_s3_bucket.data.id
}
{%- if cookiecutter.ci != "none" and cookiecutter.__deploys %}

locals {
  pipelines = {
    AWS_ACCOUNT_ID = local.account
    AWS_REGION     = local.region
    AWS_ROLE_ARN   = aws_iam_role.ci["data"].arn
  }
  # Staging has variables of its environment only
  production = var.environment == "production"
}

output "ci_variables" {
  description = "Variables of the repository, for all its pipelines"
  value       = { for name, value in local.pipelines : name => value if local.production }
}

output "ci_environments" {
  description = "Variables of the environments that may do more, in the place of those of the repository"
  value = {
    for environment, role in { (var.environment) = "deploy", training = "train" } : environment => merge(
      { for name, value in local.pipelines : name => value if !local.production },
      { AWS_ROLE_ARN = aws_iam_role.ci[role].arn },
    ) if local.production || environment == var.environment
  }
}
{%- elif cookiecutter.ci != "none" %}

output "ci_variables" {
  description = "Variables of the repository, for all its pipelines"
  value = {
    AWS_ACCOUNT_ID = local.account
    AWS_REGION     = local.region
    AWS_ROLE_ARN   = aws_iam_role.ci["data"].arn
  }
}

output "ci_environments" {
  description = "Variables of the environments that may do more, in the place of those of the repository"
  value = {
    training = { AWS_ROLE_ARN = aws_iam_role.ci["train"].arn }
  }
}
{%- endif %}
