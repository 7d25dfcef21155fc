resource "google_storage_bucket" "this" {
  #checkov:skip=CKV_GCP_62:access logs of a bucket for data and models cost more than they tell
  name     = var.bucket
  location = var.region

  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  versioning {
    enabled = true
  }

  # Versions do what this would do, and paying twice for deleted data helps nobody
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  # What was overwritten or deleted can be had back for a month
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 30
    }
  }

  # Sources that were uploaded for one build or one training job
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 7
      matches_prefix = ["source/"]
    }
  }

  # Results of training jobs: `dvc push` keeps what is worth it
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 90
      matches_prefix = ["runs/"]
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }

  depends_on = [google_project_service.this]
}
