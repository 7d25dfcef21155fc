# What DVC keeps: data and models
resource "azurerm_storage_account" "data" {
  #checkov:skip=CKV_AZURE_33:there are no queues
  #checkov:skip=CKV_AZURE_59:people and pipelines come from the internet, with an identity of Entra ID
  #checkov:skip=CKV_AZURE_206:one region's copies and 30 days of deleted versions are enough
  #checkov:skip=CKV2_AZURE_1:Microsoft's keys encrypt it
  #checkov:skip=CKV2_AZURE_33:a private network would shut out people and pipelines
  name                            = "dvc${local.unique}"
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
    versioning_enabled = true

    delete_retention_policy {
      days = 30
    }

    container_delete_retention_policy {
      days = 30
    }
  }
}

resource "azurerm_storage_container" "dvc" {
  #checkov:skip=CKV2_AZURE_21:logs of every read would cost more than the data
  name                  = "dvc"
  storage_account_id    = azurerm_storage_account.data.id
  container_access_type = "private"
}

resource "azurerm_storage_management_policy" "data" {
  storage_account_id = azurerm_storage_account.data.id

  rule {
    name    = "delete-old-versions"
    enabled = true

    filters {
      blob_types = ["blockBlob"]
    }

    actions {
      version {
        delete_after_days_since_creation = 30
      }
    }
  }
}

resource "azurerm_role_assignment" "people_data" {
  for_each = local.people

  scope                = azurerm_storage_container.dvc.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = each.value
}
