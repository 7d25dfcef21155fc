resource "aws_iam_role" "ci" {
  for_each = local.trusted

  name = "${local.name}-ci-${each.key}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = coalesce(var.oidc_provider, one(aws_iam_openid_connect_provider.ci[*].arn)) }
      Condition = each.value
    }]
  })
}

resource "aws_iam_role_policy" "ci" {
  for_each = local.policies

  role   = aws_iam_role.ci[each.key].id
  policy = each.value
}

locals {
  policies = {
    data  = data.aws_iam_policy_document.pull_data.json
    train = data.aws_iam_policy_document.train.json
{%- if cookiecutter.__deploys %}

    deploy = data.aws_iam_policy_document.deploy.json
{%- endif %}
  }
}

data "aws_iam_policy_document" "pull_data" {
  statement {
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.data.arn]
  }

  statement {
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.data.arn}/dvc/*"]
  }
}
{%- if cookiecutter.docker %}

data "aws_iam_policy_document" "push" {
  for_each = local.images

  statement {
    sid       = "LogInToTheRegistry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid = "PushTheImage"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
    resources = [aws_ecr_repository.image[each.key].arn]
  }
}
{%- endif %}
{%- if cookiecutter.__deploys %}

data "aws_iam_policy_document" "deploy" {
  source_policy_documents = [data.aws_iam_policy_document.push["service"].json]

  statement {
    sid       = "UpdateTheService"
    actions   = ["lambda:GetFunction", "lambda:InvokeFunction", "lambda:UpdateFunctionCode"]
    resources = ["arn:aws:lambda:${local.region}:${local.account}:function:${local.name}"]
  }
}
{%- endif %}

data "aws_iam_policy_document" "train" {
{%- if cookiecutter.docker %}
  source_policy_documents = [data.aws_iam_policy_document.push["train"].json]
{%- else %}
  statement {
    sid       = "UploadTheSource"
    actions   = ["s3:AbortMultipartUpload", "s3:PutObject"]
    resources = ["${aws_s3_bucket.data.arn}/source/*"]
  }
{%- endif %}

  statement {
    sid       = "StartJobs"
    actions   = ["sagemaker:CreateTrainingJob"]
    resources = ["arn:aws:sagemaker:${local.region}:${local.account}:training-job/${local.name}-*"]
  }

  statement {
    sid       = "GiveThemTheirRole"
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.training.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["sagemaker.amazonaws.com"]
    }
  }
}
