# Who builds images on Cloud Build: cloudbuild.yaml names this account
resource "google_service_account" "build" {
  account_id   = "${local.account}-build"
  display_name = "${local.name}: builds images"
  depends_on   = [google_project_service.this]
}

resource "google_artifact_registry_repository_iam_member" "build" {
  repository = google_artifact_registry_repository.this.name
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = google_storage_bucket.this.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member

  condition {
    title      = "sources"
    expression = "resource.name.startsWith('projects/_/buckets/${var.bucket}/objects/source/')"
  }
}

resource "google_project_iam_member" "build_logs" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}
