output "storage_account" {
  description = "Storage account that .dvc/config names."
  value       = azurerm_storage_account.data.name
}

output "workspace" {
  description = "Azure ML workspace that jobs run in."
  value       = azurerm_machine_learning_workspace.training.name
}
