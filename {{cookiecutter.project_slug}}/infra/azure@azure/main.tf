terraform {
  required_version = ">= 1.9"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 5.2"
    }
  }
}

provider "azurerm" {
  subscription_id     = var.subscription_id
  storage_use_azuread = true

  resource_providers_to_register = [
{%- if cookiecutter.__deploys %}
    "Microsoft.App",
{%- endif %}
    "Microsoft.Consumption",
    "Microsoft.ContainerRegistry",
    "Microsoft.KeyVault",
    "Microsoft.MachineLearningServices",
    "Microsoft.ManagedIdentity",
    "Microsoft.OperationalInsights",
    "Microsoft.Storage",
    "microsoft.insights", # as Azure spells it: names are compared letter by letter
  ]

  # `terraform destroy` is to leave nothing, also of what Azure adds by itself
  features {
    key_vault {
      purge_soft_delete_on_destroy = true
    }
    log_analytics_workspace {
      permanently_delete_on_destroy = true
    }
    machine_learning {
      purge_soft_deleted_workspace_on_destroy = true
    }
    resource_group {
      prevent_deletion_if_contains_resources = false
    }
  }
}

data "azurerm_client_config" "current" {}

locals {
  name   = "{{ cookiecutter.__cloud_name }}"
  unique = var.unique

  people = toset(concat([data.azurerm_client_config.current.object_id], var.people))
}

resource "azurerm_resource_group" "project" {
  name     = local.name
  location = var.location
}

resource "azurerm_log_analytics_workspace" "logs" {
  name                = "${local.name}-logs"
  resource_group_name = azurerm_resource_group.project.name
  location            = azurerm_resource_group.project.location
  sku                 = "PerGB2018"
  retention_in_days   = 30
  daily_quota_gb      = 1
}
