# What the service may do: write its log
resource "aws_iam_role" "service" {
  name               = "${local.name}-service"
  assume_role_policy = data.aws_iam_policy_document.service_trust.json
}

data "aws_iam_policy_document" "service_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "service" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.service.arn}:*"]
  }
}

resource "aws_iam_role_policy" "service" {
  role   = aws_iam_role.service.id
  policy = data.aws_iam_policy_document.service.json
}

resource "aws_cloudwatch_log_group" "service" {
  #checkov:skip=CKV_AWS_158:CloudWatch's own keys encrypt it; a key of the account's own costs a dollar a month
  #checkov:skip=CKV_AWS_338:requests are of no use after a month, and storing them costs
  name              = "/aws/lambda/${local.name}"
  retention_in_days = 30
}

resource "aws_cloudwatch_log_group" "api" {
  #checkov:skip=CKV_AWS_158:CloudWatch's own keys encrypt it; a key of the account's own costs a dollar a month
  #checkov:skip=CKV_AWS_338:requests are of no use after a month, and storing them costs
  name              = "/aws/apigateway/${local.name}"
  retention_in_days = 30
}

data "aws_iam_policy_document" "pull_service" {
  statement {
    actions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = ["arn:aws:lambda:${local.region}:${local.account}:function:${local.name}"]
    }
  }
}

resource "aws_ecr_repository_policy" "service" {
  repository = aws_ecr_repository.image["service"].name
  policy     = data.aws_iam_policy_document.pull_service.json
}

resource "aws_lambda_function" "service" {
  #checkov:skip=CKV_AWS_50:one function has no path to trace
  #checkov:skip=CKV_AWS_115:the API's throttle bounds how many run; a reserve would be taken from the account's other functions
  #checkov:skip=CKV_AWS_116:requests are answered at once, none waits in a queue
  #checkov:skip=CKV_AWS_117:it needs nothing in a private network
  #checkov:skip=CKV_AWS_173:settings are no secrets, and Lambda's own key encrypts them
  #checkov:skip=CKV_AWS_272:only code in archives can be signed; this is an image
  count = var.service ? 1 : 0

  function_name = local.name
  role          = aws_iam_role.service.arn
  package_type  = "Image"
  image_uri     = "${aws_ecr_repository.image["service"].repository_url}:latest"
  memory_size   = 1769 # MB, with which a function has one whole CPU; it gets one request at a time
  timeout       = 29   # seconds; the API waits for 30

  environment {
    # Lambda takes no larger requests
    variables = merge({ SERVE_MAX_BODY = "6000000" }, var.service_settings)
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.service.name
  }

  depends_on = [aws_ecr_repository_policy.service, aws_iam_role_policy.service]

  lifecycle {
    ignore_changes = [image_uri] # `cloud deploy` changes it
  }
}

resource "aws_lambda_permission" "api" {
  count = var.service ? 1 : 0

  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.service[0].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.service.execution_arn}/*"
}

resource "aws_apigatewayv2_api" "service" {
  name          = local.name
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "service" {
  count = var.service ? 1 : 0

  api_id                 = aws_apigatewayv2_api.service.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.service[0].invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "service" {
  count = var.service ? 1 : 0

  api_id             = aws_apigatewayv2_api.service.id
  route_key          = "$default"
  target             = "integrations/${aws_apigatewayv2_integration.service[0].id}"
  authorization_type = var.public ? "NONE" : "AWS_IAM"
}

resource "aws_apigatewayv2_stage" "service" {
  api_id      = aws_apigatewayv2_api.service.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    detailed_metrics_enabled = true
    throttling_burst_limit   = 50
    throttling_rate_limit    = 20 # requests a second
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    format = jsonencode({
      time     = "$context.requestTime"
      id       = "$context.requestId"
      ip       = "$context.identity.sourceIp"
      method   = "$context.httpMethod"
      path     = "$context.path"
      status   = "$context.status"
      ms       = "$context.responseLatency"
      error    = "$context.error.message"
      function = "$context.integrationErrorMessage"
    })
  }
}

output "url" {
  description = "Address of the service"
  value       = aws_apigatewayv2_api.service.api_endpoint
}
