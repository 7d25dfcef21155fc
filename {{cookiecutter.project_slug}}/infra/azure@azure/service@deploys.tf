resource "azurerm_user_assigned_identity" "service" {
  name                = "${local.name}-service"
  resource_group_name = azurerm_resource_group.project.name
  location            = azurerm_resource_group.project.location
}

resource "azurerm_role_assignment" "service_images" {
  scope                = azurerm_container_registry.images.id
  role_definition_name = "AcrPull"
  principal_id         = azurerm_user_assigned_identity.service.principal_id
}

resource "azurerm_container_app_environment" "service" {
  name                       = "${local.name}-env"
  resource_group_name        = azurerm_resource_group.project.name
  location                   = azurerm_resource_group.project.location
  logs_destination           = "log-analytics"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.logs.id

  workload_profile {
    name                  = "Consumption"
    workload_profile_type = "Consumption"
  }
}

resource "azurerm_container_app" "service" {
  count = var.service ? 1 : 0

  name                         = "api"
  resource_group_name          = azurerm_resource_group.project.name
  container_app_environment_id = azurerm_container_app_environment.service.id
  workload_profile_name        = "Consumption"
  revision_mode                = "Single"
  max_inactive_revisions       = 10

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.service.id]
  }

  registry {
    server   = azurerm_container_registry.images.login_server
    identity = azurerm_user_assigned_identity.service.id
  }

  dynamic "secret" {
    for_each = var.service_keys ? ["keys"] : []

    content {
      name                = secret.value
      key_vault_secret_id = "${azurerm_key_vault.keys.vault_uri}secrets/keys"
      identity            = azurerm_user_assigned_identity.service.id
    }
  }

  ingress {
    external_enabled           = var.public || length(var.callers) > 0
    allow_insecure_connections = false
    target_port                = 8000

    # One that allows somebody shuts all others out
    dynamic "ip_security_restriction" {
      for_each = { for name, range in var.callers : name => range if !var.public }
      iterator = caller

      content {
        name             = caller.key
        ip_address_range = caller.value
        action           = "Allow"
      }
    }

    traffic_weight {
      latest_revision = true
      percentage      = 100
    }
  }

  template {
    min_replicas                     = var.min_replicas
    max_replicas                     = var.max_replicas
    termination_grace_period_seconds = 15

    http_scale_rule {
      name = "requests"
      # A copy reads so many of the largest requests within SERVE_TIMEOUT
      concurrent_requests = "{{ 20 if cookiecutter.onnx_export else 40 }}"
    }

    dynamic "volume" {
      for_each = var.service_keys ? ["keys"] : []

      content {
        name         = volume.value
        storage_type = "Secret"
      }
    }

    container {
      name  = "api"
      image = "${azurerm_container_registry.images.login_server}/{{ cookiecutter.project_slug }}-api:latest"
      # Beside the model for requests: 300 MB, and 80 MB of files in /tmp, however many there are
{%- if cookiecutter.onnx_export %}
      cpu    = 0.5
      memory = "1Gi"
{%- else %}
      cpu    = 1
      memory = "2Gi"
{%- endif %}

      dynamic "env" {
        for_each = merge(var.service_settings, var.service_keys ? { SERVE_KEYS_FILE = "/secrets/keys" } : {})

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "volume_mounts" {
        for_each = var.service_keys ? ["keys"] : []
        iterator = mount

        content {
          name = mount.value
          path = "/secrets"
        }
      }

      startup_probe {
        transport               = "HTTP"
        port                    = 8000
        path                    = "/readyz"
        interval_seconds        = 2
        timeout                 = 5
        failure_count_threshold = 60
      }

      readiness_probe {
        transport               = "HTTP"
        port                    = 8000
        path                    = "/readyz"
        interval_seconds        = 5
        timeout                 = 5
        success_count_threshold = 1
      }

      liveness_probe {
        transport        = "HTTP"
        port             = 8000
        path             = "/livez"
        interval_seconds = 10
        timeout          = 5
      }
    }
  }

  lifecycle {
    # `{{ cookiecutter.project_slug }} cloud deploy` puts newer images into service
    ignore_changes = [template[0].container[0].image]
  }

  depends_on = [azurerm_role_assignment.service_images, azurerm_role_assignment.service_keys]
}

output "service_url" {
  description = "Address of the service, once it runs."
  value       = one([for app in azurerm_container_app.service : "https://${app.ingress[0].fqdn}"])
}
