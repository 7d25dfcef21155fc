# Workflows of exactly this repository log in with the token that GitHub signs for each of their jobs
resource "google_iam_workload_identity_pool" "this" {
  workload_identity_pool_id = var.pool
  display_name              = "GitHub"
  depends_on                = [google_project_service.this]
}

resource "google_iam_workload_identity_pool_provider" "this" {
  #checkov:skip=CKV_GCP_125:the condition names the repository; the grants below name environments
  workload_identity_pool_id          = google_iam_workload_identity_pool.this.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  attribute_condition                = "assertion.repository == '${local.repository}'"

  attribute_mapping = {
    # Not `sub`: with a branch's name in it, that may be longer than the 127 bytes which are allowed
    "google.subject"        = "assertion.repository_id"
    "attribute.repository"  = "assertion.repository"
    "attribute.environment" = "has(assertion.environment) ? assertion.environment : ''"
  }

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

# Any branch may read data and models
resource "google_storage_bucket_iam_member" "repository" {
  bucket = google_storage_bucket.this.name
  role   = "roles/storage.objectViewer"
  member = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.this.name}/attribute.repository/${local.repository}"
}

# More needs an environment, for which the repository's settings name branches and reviewers
resource "google_service_account_iam_member" "environment" {
  for_each = local.environments

  service_account_id = google_service_account.ci[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.this.name}/attribute.environment/${each.key}"
}

locals {
  repository = "{{ cookiecutter.repo_owner }}/{{ cookiecutter.project_slug }}"
}
