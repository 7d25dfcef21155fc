# Who turns the uploaded source into the function
resource "google_service_account" "build" {
  account_id   = "${local.account}-build"
  display_name = "${local.name}: builds the function"
  depends_on   = [google_project_service.this]
}

resource "google_project_iam_member" "build_registry" {
  project = var.project
  role    = "roles/artifactregistry.writer"
  member  = google_service_account.build.member
}

resource "google_project_iam_member" "build_source" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title      = "sources-of-functions"
    expression = "resource.name.startsWith('projects/_/buckets/gcf-v2-sources-')"
  }
}

resource "google_project_iam_member" "build_logs" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}
