# Pipelines of exactly this project log in with the token that GitLab signs for each of their jobs
resource "google_iam_workload_identity_pool" "this" {
  workload_identity_pool_id = var.pool
  display_name              = "GitLab"
  depends_on                = [google_project_service.this]
}

resource "google_iam_workload_identity_pool_provider" "this" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.this.workload_identity_pool_id
  workload_identity_pool_provider_id = "gitlab"
  # Whoever registers the names anew gets other numbers
  attribute_condition = "assertion.project_id == '${var.gitlab_project_id}' && assertion.namespace_id == '${var.gitlab_namespace_id}'"

  attribute_mapping = {
    # Who it was, in audit logs: the pipeline, and whether a merge request or a deployment. Not `sub`: with a
    # branch's name in it, that may be longer than the 127 bytes which are allowed
    "google.subject"       = "assertion.project_id + ':' + assertion.pipeline_id + ':' + assertion.pipeline_source + (has(assertion.environment) ? ':' + assertion.environment : '')"
    "attribute.project_id" = "assertion.project_id"
    # An environment's name is nobody's but on the branch main, while it is protected
    "attribute.environment" = "has(assertion.environment) && assertion.ref == 'main' && assertion.ref_type == 'branch' && assertion.ref_protected == 'true' ? assertion.environment : ''"
  }

  oidc {
    issuer_uri = "https://gitlab.com"
  }
}

# Any branch may read data and models
resource "google_storage_bucket_iam_member" "repository" {
  bucket = google_storage_bucket.this.name
  role   = "roles/storage.objectViewer"
  member = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.this.name}/attribute.project_id/${var.gitlab_project_id}"
}

# More needs an environment, on the branch main
resource "google_service_account_iam_member" "environment" {
  for_each = local.environments

  service_account_id = google_service_account.ci[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.this.name}/attribute.environment/${each.key}"
}
