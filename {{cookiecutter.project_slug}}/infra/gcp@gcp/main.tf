terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.0"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region
  # The budget's API asks which project its calls are counted for
  billing_project       = var.project
  user_project_override = true
}

locals {
  name = "{{ cookiecutter.__cloud_name }}"
  # Names of service accounts have 6 to 30 characters
  account = "{{ cookiecutter.__cloud_name[:20].rstrip('-') }}"
}

resource "google_project_service" "this" {
  for_each = toset([
    "billingbudgets.googleapis.com",
{%- if cookiecutter.docker %}
    "aiplatform.googleapis.com",
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
{%- else %}
    "compute.googleapis.com",
{%- if cookiecutter.serving != "none" %}
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
{%- endif %}
{%- endif %}
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "monitoring.googleapis.com",
{%- if cookiecutter.serving != "none" %}
    "run.googleapis.com",
    "secretmanager.googleapis.com",
{%- endif %}
    "storage.googleapis.com",
{%- if cookiecutter.ci != "none" %}
    "sts.googleapis.com",
{%- endif %}
  ])
  service = each.value
}
