# Who pipelines are where they may do more than read: each environment has an account of its own
locals {
  environments = {
{%- if cookiecutter.serving != "none" %}
    (var.environment) = "deploy"
{%- endif %}
    training {{ "         " if cookiecutter.serving != "none" }}= "train"
  }
}

resource "google_service_account" "ci" {
  for_each = local.environments

  account_id   = "${local.account}-ci-${each.value}"
  display_name = "${local.name}: pipelines, ${each.key}"
  depends_on   = [google_project_service.this]
}
{%- if cookiecutter.docker %}

resource "google_artifact_registry_repository_iam_member" "ci" {
  for_each = local.environments

  repository = google_artifact_registry_repository.this.name
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.ci[each.key].member
}
{%- else %}

# gcloud looks at the bucket before it uploads the source of a training job
resource "google_storage_bucket_iam_member" "ci_read" {
  bucket = google_storage_bucket.this.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.ci["training"].member
}

resource "google_storage_bucket_iam_member" "ci_source" {
  bucket = google_storage_bucket.this.name
  role   = "roles/storage.objectCreator"
  member = google_service_account.ci["training"].member

  condition {
    title      = "sources"
    expression = "resource.name.startsWith('projects/_/buckets/${var.bucket}/objects/source/')"
  }
}
{%- endif %}

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
  member  = google_service_account.ci["training"].member
}

resource "google_service_account_iam_member" "ci_training" {
  service_account_id = google_service_account.training.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.ci["training"].member
}
{%- if cookiecutter.serving != "none" %}

resource "google_service_account_iam_member" "ci_service" {
  service_account_id = google_service_account.service.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.ci[var.environment].member
}
{%- if cookiecutter.docker %}

resource "google_cloud_run_v2_service_iam_member" "ci" {
  name     = google_cloud_run_v2_service.this.name
  location = var.region
  role     = "roles/run.developer"
  member   = google_service_account.ci[var.environment].member
}

# A deployment asks the service
resource "google_cloud_run_v2_service_iam_member" "ci_invoke" {
  name     = google_cloud_run_v2_service.this.name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.ci[var.environment].member
}
{%- else %}

resource "google_service_account_iam_member" "ci_build" {
  service_account_id = google_service_account.build.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.ci[var.environment].member
}

resource "google_project_iam_member" "ci_functions" {
  project = var.project
  role    = "roles/cloudfunctions.developer"
  member  = google_service_account.ci[var.environment].member
}

# A deployment asks the service
resource "google_cloud_run_v2_service_iam_member" "ci_invoke" {
  count = var.service ? 1 : 0

  name     = data.google_cloud_run_v2_service.this[0].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.ci[var.environment].member
}
{%- endif %}

# With a token of its own
resource "google_service_account_iam_member" "ci_token" {
  service_account_id = google_service_account.ci[var.environment].name
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = google_service_account.ci[var.environment].member
}
{%- endif %}
{%- if cookiecutter.serving != "none" %}

locals {
  pipelines = {
    GOOGLE_CLOUD_PROJECT           = var.project
    GOOGLE_CLOUD_REGION            = var.region
    GCP_WORKLOAD_IDENTITY_PROVIDER = google_iam_workload_identity_pool_provider.this.name
  }
  # Staging has variables of its environment only
  production = var.environment == "production"
}

output "ci_variables" {
  description = "The variables that the pipelines read: names and addresses, no secrets"
  value       = { for name, value in local.pipelines : name => value if local.production }
}

output "ci_environments" {
  description = "The variables that each environment of the pipelines has besides"
  value = {
    for environment, account in google_service_account.ci : environment => merge(
      { for name, value in local.pipelines : name => value if !local.production },
      {
        GCP_SERVICE_ACCOUNT = account.email
      },
    ) if local.production || environment == var.environment
  }
}
{%- else %}

output "ci_variables" {
  description = "The variables that the pipelines read: names and addresses, no secrets"
  value = {
    GOOGLE_CLOUD_PROJECT           = var.project
    GOOGLE_CLOUD_REGION            = var.region
    GCP_WORKLOAD_IDENTITY_PROVIDER = google_iam_workload_identity_pool_provider.this.name
  }
}

output "ci_environments" {
  description = "The variable that each environment of the pipelines has besides"
  value = {
    for environment, account in google_service_account.ci : environment => {
      GCP_SERVICE_ACCOUNT = account.email
    }
  }
}
{%- endif %}
