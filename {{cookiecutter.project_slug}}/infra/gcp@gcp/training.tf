resource "google_service_account" "training" {
  account_id   = "${local.account}-training"
  display_name = "${local.name}: trains models"
  depends_on   = [google_project_service.this]
}

# A job reads all data, and writes its results
resource "google_storage_bucket_iam_member" "training_read" {
  bucket = google_storage_bucket.this.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.training.member
}

resource "google_storage_bucket_iam_member" "training_write" {
  bucket = google_storage_bucket.this.name
  role   = "roles/storage.objectUser"
  member = google_service_account.training.member

  condition {
    title      = "runs"
    expression = "resource.name.startsWith('projects/_/buckets/${var.bucket}/objects/runs/')"
  }
}
{%- if not cookiecutter.docker %}

# The machine deletes itself when training has ended
resource "google_project_iam_custom_role" "delete_vm" {
  role_id     = "{{ cookiecutter.project_slug }}_delete_vm"
  title       = "${local.name}: delete a training machine"
  permissions = ["compute.instances.delete"]
  depends_on  = [google_project_service.this]
}

resource "google_project_iam_member" "training_delete_vm" {
  project = var.project
  role    = google_project_iam_custom_role.delete_vm.id
  member  = google_service_account.training.member

  condition {
    title      = "training-machines"
    expression = "resource.name.extract('/instances/{name}').startsWith('${local.name}-')"
  }
}
{%- endif %}
