# What an Azure ML workspace needs: storage for jobs, a vault, and Application Insights
resource "azurerm_storage_account" "jobs" {
  #checkov:skip=CKV_AZURE_33:there are no queues
  #checkov:skip=CKV_AZURE_59:people and pipelines come from the internet, with an identity of Entra ID
  #checkov:skip=CKV_AZURE_206:what is worth keeping goes to DVC
  #checkov:skip=CKV2_AZURE_1:Microsoft's keys encrypt it
  #checkov:skip=CKV2_AZURE_33:a private network would shut out people and pipelines
  name                            = "aml${local.unique}"
  resource_group_name             = azurerm_resource_group.project.name
  location                        = azurerm_resource_group.project.location
  account_tier                    = "Standard"
  account_replication_type        = "LRS"
  min_tls_version                 = "TLS1_2"
  allow_nested_items_to_be_public = false
  shared_access_key_enabled       = false
  local_user_enabled              = false
  default_to_oauth_authentication = true

  blob_properties {
    delete_retention_policy {
      days = 7
    }
  }
}

# Logs and results of jobs: `dvc push` keeps what is worth it
resource "azurerm_storage_management_policy" "jobs" {
  storage_account_id = azurerm_storage_account.jobs.id

  rule {
    name    = "delete-old-runs"
    enabled = true

    filters {
      blob_types = ["blockBlob", "appendBlob"]
      prefix_match = [
        "azureml/",
        "azureml-blobstore-${azurerm_machine_learning_workspace.training.workspace_id}/azureml/",
      ]
    }

    actions {
      base_blob {
        delete_after_days_since_modification_greater_than = 90
      }
    }
  }
}

resource "azurerm_key_vault" "jobs" {
  #checkov:skip=CKV_AZURE_42:nobody but Azure ML keeps anything in it, and destroying is to leave nothing
  #checkov:skip=CKV_AZURE_109:Azure ML reaches it without a private network
  #checkov:skip=CKV_AZURE_110:nobody but Azure ML keeps anything in it, and destroying is to leave nothing
  #checkov:skip=CKV_AZURE_189:Azure ML reaches it without a private network
  #checkov:skip=CKV2_AZURE_32:Azure ML reaches it without a private network
  name                       = "aml${local.unique}"
  resource_group_name        = azurerm_resource_group.project.name
  location                   = azurerm_resource_group.project.location
  tenant_id                  = data.azurerm_client_config.current.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = true
  soft_delete_retention_days = 7
}

resource "azurerm_application_insights" "jobs" {
  name                = "${local.name}-jobs"
  resource_group_name = azurerm_resource_group.project.name
  location            = azurerm_resource_group.project.location
  application_type    = "other"
  workspace_id        = azurerm_log_analytics_workspace.logs.id
}

resource "azurerm_machine_learning_workspace" "training" {
  #checkov:skip=CKV_AZURE_144:people and pipelines start jobs from the internet, with an identity of Entra ID
  #checkov:skip=CKV2_AZURE_50:its storage is reached from the internet too
  name                        = "aml${local.unique}"
  resource_group_name         = azurerm_resource_group.project.name
  location                    = azurerm_resource_group.project.location
  application_insights_id     = azurerm_application_insights.jobs.id
  key_vault_id                = azurerm_key_vault.jobs.id
  storage_account_id          = azurerm_storage_account.jobs.id
  storage_account_access_type = "Identity"

  identity {
    type = "SystemAssigned"
  }

  lifecycle {
    # Azure ML attaches a registry of its own to a workspace that has to build an image
    ignore_changes = [container_registry_id]
  }
}

resource "azurerm_user_assigned_identity" "training" {
  name                = "${local.name}-training"
  resource_group_name = azurerm_resource_group.project.name
  location            = azurerm_resource_group.project.location
}

resource "azurerm_role_assignment" "training_jobs" {
  scope                = azurerm_storage_account.jobs.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_user_assigned_identity.training.principal_id
}

# A machine is paid for while a job runs and five minutes longer
resource "azurerm_machine_learning_compute_cluster" "training" {
  for_each = { for name, size in { cpu = var.cpu_size, gpu = var.gpu_size } : name => size if size != null }

  name                          = each.key
  location                      = azurerm_resource_group.project.location
  machine_learning_workspace_id = azurerm_machine_learning_workspace.training.id
  vm_size                       = each.value
  vm_priority                   = "Dedicated"
  local_auth_enabled            = false

  scale_settings {
    min_node_count                       = 0
    max_node_count                       = 1
    scale_down_nodes_after_idle_duration = "PT5M"
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.training.id]
  }

  depends_on = [azurerm_role_assignment.training_jobs]
}

resource "azurerm_role_assignment" "people_jobs" {
  for_each = local.people

  scope                = azurerm_storage_account.jobs.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = each.value
}

resource "azurerm_role_assignment" "people_training" {
  for_each = local.people

  scope                = azurerm_machine_learning_workspace.training.id
  role_definition_name = "AzureML Data Scientist"
  principal_id         = each.value
}
