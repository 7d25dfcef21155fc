output "bucket" {
  description = "Where data and models are"
  value       = google_storage_bucket.this.url
}
{%- if cookiecutter.docker %}

output "images" {
  description = "Where images are pushed to"
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.this.name}"
}
{%- endif %}
{%- if cookiecutter.serving != "none" %}

output "url" {
  description = "Where predictions are asked for"
{%- if cookiecutter.docker %}
  value       = one(google_cloud_run_v2_service.this[*].uri)
{%- else %}
  value       = one(data.google_cloud_run_v2_service.this[*].uri)
{%- endif %}
}
{%- endif %}
{%- if cookiecutter.ci != "none" %}

output "ci_variables" {
  description = "The variables that the pipelines read: names and addresses, no secrets"
  value = {
    GOOGLE_CLOUD_PROJECT           = var.project
    GOOGLE_CLOUD_REGION            = var.region
    GCP_WORKLOAD_IDENTITY_PROVIDER = google_iam_workload_identity_pool_provider.this.name
  }
}

output "ci_environments" {
  description = "The variable that each environment of the pipelines has besides"
  value = {
    for environment, account in google_service_account.ci : environment => {
      GCP_SERVICE_ACCOUNT = account.email
    }
  }
}
{%- endif %}
