resource "azurerm_container_registry" "images" {
  #checkov:skip=CKV_AZURE_139:pipelines push from the internet, with an identity of Entra ID
  #checkov:skip=CKV_AZURE_163:pipelines scan what they push
  #checkov:skip=CKV_AZURE_164:the Basic tier has no trust policy
  #checkov:skip=CKV_AZURE_165:one region is enough
  #checkov:skip=CKV_AZURE_166:the Basic tier has no quarantine
  #checkov:skip=CKV_AZURE_167:the Basic tier has no retention policy
  #checkov:skip=CKV_AZURE_233:one zone is enough
  #checkov:skip=CKV_AZURE_237:the Basic tier has no data endpoints of its own
  name                = "acr${local.unique}"
  resource_group_name = azurerm_resource_group.project.name
  location            = azurerm_resource_group.project.location
  sku                 = "Basic"
  admin_enabled       = false
}

resource "azurerm_role_assignment" "people_images" {
  for_each = local.people

  scope                = azurerm_container_registry.images.id
  role_definition_name = "AcrPush"
  principal_id         = each.value
}

resource "azurerm_role_assignment" "training_images" {
  scope                = azurerm_container_registry.images.id
  role_definition_name = "AcrPull"
  principal_id         = azurerm_user_assigned_identity.training.principal_id
}

output "registry" {
  description = "Registry that images are pushed to."
  value       = azurerm_container_registry.images.login_server
}
