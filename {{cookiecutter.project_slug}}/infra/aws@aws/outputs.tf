output "bucket" {
  description = "Where data and the results of training jobs are"
  value       = aws_s3_bucket.data.id
}
{%- if cookiecutter.ci != "none" %}

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
{%- if cookiecutter.__deploys %}

    production = { AWS_ROLE_ARN = aws_iam_role.ci["deploy"].arn }
{%- endif %}
  }
}
{%- endif %}
