locals {
  images = toset([{{ '"service", ' if cookiecutter.serving != "none" }}"train"])
}

resource "aws_ecr_repository" "image" {
  #checkov:skip=CKV_AWS_51:only `latest` moves, from which Terraform makes the service; all others have a time in their names
  #checkov:skip=CKV_AWS_136:ECR's own keys encrypt the images; a key of the account's own costs a dollar a month
  for_each = local.images

  name         = "${local.name}/${each.key}"
  force_delete = var.disposable

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "image" {
  for_each = local.images

  repository = aws_ecr_repository.image[each.key].name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep the last ten images"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 10 }
      action       = { type = "expire" }
    }]
  })
}
