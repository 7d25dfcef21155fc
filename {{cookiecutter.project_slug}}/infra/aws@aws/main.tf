terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

# The region is the one that AWS_REGION names
provider "aws" {
  default_tags {
    tags = {
      Project   = local.name
      ManagedBy = "terraform"
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

locals {
  name    = "{{ cookiecutter.__cloud_name }}"
  account = data.aws_caller_identity.current.account_id
  region  = data.aws_region.current.id
}
