# For the list of keys, which docs/azure.md says how to write: Terraform never sees it
resource "azurerm_key_vault" "keys" {
  #checkov:skip=CKV_AZURE_42:the list can be written again, and destroying is to leave nothing
  #checkov:skip=CKV_AZURE_109:the service reaches it without a private network
  #checkov:skip=CKV_AZURE_110:the list can be written again, and destroying is to leave nothing
  #checkov:skip=CKV_AZURE_189:the service reaches it without a private network
  #checkov:skip=CKV2_AZURE_32:the service reaches it without a private network
  name                       = "api${local.unique}"
  resource_group_name        = azurerm_resource_group.project.name
  location                   = azurerm_resource_group.project.location
  tenant_id                  = data.azurerm_client_config.current.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = true
  soft_delete_retention_days = 7
}

resource "azurerm_role_assignment" "people_keys" {
  for_each = local.people

  scope                = azurerm_key_vault.keys.id
  role_definition_name = "Key Vault Secrets Officer"
  principal_id         = each.value
}

# The vault holds nothing but this list
resource "azurerm_role_assignment" "service_keys" {
  scope                = azurerm_key_vault.keys.id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.service.principal_id
}
