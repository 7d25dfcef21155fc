output "storage_account" {
  description = "Storage account that .dvc/config names."
  value       = azurerm_storage_account.data.name
}

output "workspace" {
  description = "Azure ML workspace that jobs run in."
  value       = azurerm_machine_learning_workspace.training.name
}
{%- if cookiecutter.docker %}

output "registry" {
  description = "Registry that images are pushed to."
  value       = azurerm_container_registry.images.login_server
}
{%- endif %}
{%- if cookiecutter.__deploys %}

output "service_url" {
  description = "Address of the service, once it runs."
  value       = one([for app in azurerm_container_app.service : "https://${app.ingress[0].fqdn}"])
}
{%- endif %}
