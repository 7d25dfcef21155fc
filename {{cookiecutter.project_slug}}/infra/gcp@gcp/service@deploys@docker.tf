# What the service runs as: the account may read the list of keys, and nothing else
resource "google_service_account" "service" {
  account_id   = "${local.account}-serving"
  display_name = "${local.name}: serves predictions"
  depends_on   = [google_project_service.this]
}

resource "google_cloud_run_v2_service" "this" {
  name     = local.name
  location = var.region
  # `terraform destroy` is how everything goes away, and nothing is kept in the service
  deletion_protection = false

  template {
    service_account = google_service_account.service.email
    timeout         = "30s"
    # One CPU reads so many of the largest requests within SERVE_TIMEOUT
    max_instance_request_concurrency = 40

    scaling {
      min_instance_count = var.min_instances
      max_instance_count = 3
    }

    containers {
      # A page of Google's, which answers every probe, until the first `{{ cookiecutter.project_slug }} cloud deploy`
      image = "us-docker.pkg.dev/cloudrun/container/hello"

      ports {
        container_port = 8000
      }

      resources {
        limits = {
          cpu = "1"
          # Beside the model for requests: 300 MB, and 80 MB of files in /tmp, however many there are
          memory = "{{ '1Gi' if cookiecutter.onnx_export else '2Gi' }}"
        }
        # No request, no bill
        cpu_idle          = true
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = merge(var.service_settings, var.service_keys ? { SERVE_KEYS_FILE = "/secrets/keys.txt" } : {})

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "volume_mounts" {
        for_each = var.service_keys ? ["keys"] : []
        iterator = mount

        content {
          name       = mount.value
          mount_path = "/secrets"
        }
      }

      startup_probe {
        period_seconds    = 2
        timeout_seconds   = 2
        failure_threshold = 60
        http_get {
          path = "/readyz"
        }
      }

      liveness_probe {
        period_seconds    = 10
        timeout_seconds   = 5
        failure_threshold = 3
        http_get {
          path = "/livez"
        }
      }
    }

    dynamic "volumes" {
      for_each = var.service_keys ? ["keys"] : []
      iterator = volume

      content {
        name = volume.value

        secret {
          secret = google_secret_manager_secret.keys.secret_id

          items {
            path    = "keys.txt"
            version = "latest"
          }
        }
      }
    }
  }

  lifecycle {
    # `{{ cookiecutter.project_slug }} cloud deploy` changes them
    ignore_changes = [
      client,
      client_version,
      template[0].annotations,
      template[0].containers[0].image,
      template[0].labels,
      template[0].revision,
    ]
  }

  depends_on = [google_secret_manager_secret_iam_member.service]
}

# Callers need an identity, which owners of the project have
resource "google_cloud_run_v2_service_iam_member" "callers" {
  for_each = toset(var.callers)

  name     = google_cloud_run_v2_service.this.name
  location = var.region
  role     = "roles/run.invoker"
  member   = each.key
}

resource "google_cloud_run_v2_service_iam_member" "public" {
  #checkov:skip=CKV_GCP_102:the variable `public` decides
  count = var.public ? 1 : 0

  name     = google_cloud_run_v2_service.this.name
  location = var.region
  role     = "roles/run.invoker"
  member   = "allUsers"
}

output "url" {
  description = "Where predictions are asked for"
  value       = google_cloud_run_v2_service.this.uri
}
