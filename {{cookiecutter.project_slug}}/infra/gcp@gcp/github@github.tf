# Workflows of exactly this repository log in with the token that GitHub signs for each of their jobs
resource "google_iam_workload_identity_pool" "this" {
  workload_identity_pool_id = var.pool
  display_name              = "GitHub"
  depends_on                = [google_project_service.this]
}

resource "google_iam_workload_identity_pool_provider" "this" {
  #checkov:skip=CKV_GCP_125:the condition has the repository's and its owner's numbers, which nobody else gets
  workload_identity_pool_id          = google_iam_workload_identity_pool.this.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  # Whoever registers the names anew gets other numbers
  attribute_condition = "assertion.repository_id == '${var.github_repository_id}' && assertion.repository_owner_id == '${var.github_owner_id}'"

  attribute_mapping = {
    # Who it was, in audit logs: the run, and whether a pull request or a deployment. Not `sub`: with a branch's
    # name in it, that may be longer than the 127 bytes which are allowed
    "google.subject"          = "assertion.repository_id + ':' + assertion.run_id + ':' + assertion.event_name + (has(assertion.environment) ? ':' + assertion.environment : '')"
    "attribute.repository_id" = "assertion.repository_id"
    # An environment's name on another branch is nobody's
    "attribute.environment" = "has(assertion.environment) && assertion.ref == 'refs/heads/main' ? assertion.environment : ''"
  }

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

# Any branch may read data and models
resource "google_storage_bucket_iam_member" "repository" {
  bucket = google_storage_bucket.this.name
  role   = "roles/storage.objectViewer"
  member = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.this.name}/attribute.repository_id/${var.github_repository_id}"
}

# More needs an environment, on the branch main
resource "google_service_account_iam_member" "environment" {
  for_each = local.environments

  service_account_id = google_service_account.ci[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.this.name}/attribute.environment/${each.key}"
}
