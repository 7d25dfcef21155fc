resource "google_artifact_registry_repository" "this" {
  #checkov:skip=CKV_GCP_84:images hold nothing that Google's own keys do not protect well enough
  repository_id = local.name
  location      = var.region
  format        = "DOCKER"
  description   = "Images of ${local.name}"

  # Tags may move, because the model is no part of the commit that a tag names. What runs is pinned
  # all the same: Cloud Run and Vertex AI resolve a tag to its digest once.
  docker_config {
    immutable_tags = false
  }

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "30d"
    }
  }

  depends_on = [google_project_service.this]
}

output "images" {
  description = "Where images are pushed to"
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.this.name}"
}
