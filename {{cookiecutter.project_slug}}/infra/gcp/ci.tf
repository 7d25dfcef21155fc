# Who pipelines are where they may do more than read
resource "google_service_account" "ci" {
  account_id   = "${local.account}-ci"
  display_name = "${local.name}: pipelines"
  depends_on   = [google_project_service.this]
}

resource "google_project_iam_custom_role" "train" {
  role_id = "{{ cookiecutter.project_slug }}_train"
  title   = "${local.name}: start training"
  permissions = [
{%- if cookiecutter.docker %}
    "aiplatform.customJobs.create",
    "aiplatform.customJobs.get",
{%- else %}
    "compute.disks.create",
    "compute.instances.create",
    "compute.instances.get",
    "compute.instances.setMetadata",
    "compute.instances.setServiceAccount",
    "compute.projects.get",
    "compute.subnetworks.use",
    "compute.subnetworks.useExternalIp",
    "compute.zoneOperations.get",
    "compute.zones.get",
{%- endif %}
  ]
  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "ci_train" {
  project = var.project
  role    = google_project_iam_custom_role.train.id
  member  = google_service_account.ci.member
}

resource "google_service_account_iam_member" "ci_training" {
  service_account_id = google_service_account.training.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.ci.member
}

resource "google_storage_bucket_iam_member" "ci_read" {
  bucket = google_storage_bucket.this.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.ci.member
}
{%- if cookiecutter.docker %}

resource "google_artifact_registry_repository_iam_member" "ci" {
  repository = google_artifact_registry_repository.this.name
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.ci.member
}
{%- else %}

resource "google_storage_bucket_iam_member" "ci_source" {
  bucket = google_storage_bucket.this.name
  role   = "roles/storage.objectCreator"
  member = google_service_account.ci.member

  condition {
    title      = "sources"
    expression = "resource.name.startsWith('projects/_/buckets/${var.bucket}/objects/source/')"
  }
}
{%- endif %}
{%- if cookiecutter.serving != "none" %}

resource "google_service_account_iam_member" "ci_service" {
  service_account_id = google_service_account.service.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.ci.member
}
{%- if cookiecutter.docker %}

resource "google_cloud_run_v2_service_iam_member" "ci" {
  count = var.service ? 1 : 0

  name     = google_cloud_run_v2_service.this[0].name
  location = var.region
  role     = "roles/run.developer"
  member   = google_service_account.ci.member
}
{%- else %}

resource "google_service_account_iam_member" "ci_build" {
  service_account_id = google_service_account.build.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.ci.member
}

resource "google_project_iam_member" "ci_functions" {
  project = var.project
  role    = "roles/cloudfunctions.developer"
  member  = google_service_account.ci.member
}
{%- endif %}
{%- endif %}
