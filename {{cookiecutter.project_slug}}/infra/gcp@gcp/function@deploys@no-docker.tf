# What the function runs as: the account may read the list of keys, and nothing else
resource "google_service_account" "service" {
  account_id   = "${local.account}-serving"
  display_name = "${local.name}: serves predictions"
  depends_on   = [google_project_service.this]
}

# `{{ cookiecutter.project_slug }} cloud deploy` makes the function, which is a service of Cloud Run
data "google_cloud_run_v2_service" "this" {
  count = var.service ? 1 : 0

  name     = local.name
  location = var.region
}

# Callers need an identity, which owners of the project have
resource "google_cloud_run_v2_service_iam_member" "callers" {
  for_each = toset(var.service ? var.callers : [])

  name     = data.google_cloud_run_v2_service.this[0].name
  location = var.region
  role     = "roles/run.invoker"
  member   = each.key
}

resource "google_cloud_run_v2_service_iam_member" "public" {
  #checkov:skip=CKV_GCP_102:the variable `public` decides
  count = var.service && var.public ? 1 : 0

  name     = data.google_cloud_run_v2_service.this[0].name
  location = var.region
  role     = "roles/run.invoker"
  member   = "allUsers"
}

output "url" {
  description = "Where predictions are asked for"
  value       = one(data.google_cloud_run_v2_service.this[*].uri)
}
