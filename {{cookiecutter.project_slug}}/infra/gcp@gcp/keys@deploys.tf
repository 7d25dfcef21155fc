# The list of keys, which docs/gcp.md says how to write: Terraform never sees it
resource "google_secret_manager_secret" "keys" {
  secret_id = "${local.name}-keys"

  replication {
    auto {}
  }

  depends_on = [google_project_service.this]
}

resource "google_secret_manager_secret_iam_member" "service" {
  secret_id = google_secret_manager_secret.keys.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.service.member
}
