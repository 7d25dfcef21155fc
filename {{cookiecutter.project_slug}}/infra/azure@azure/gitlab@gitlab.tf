# Pipelines of the branch main, and of no other, log in with the token that GitLab signs for each job. Azure
# compares nothing but a token's subject, letter by letter: docs/azure.md has the command that lets GitLab write it
resource "azurerm_user_assigned_identity" "gitlab" {
  name                = "${local.name}-gitlab"
  resource_group_name = azurerm_resource_group.project.name
  location            = azurerm_resource_group.project.location
}

resource "azurerm_federated_identity_credential" "gitlab" {
  name                      = "gitlab-main"
  user_assigned_identity_id = azurerm_user_assigned_identity.gitlab.id
  issuer                    = "https://gitlab.com"
  audience                  = ["https://gitlab.com"]
  subject                   = "project_id:${var.gitlab_project_id}:ref_type:branch:ref_protected:true:ref:main"
}

resource "azurerm_role_assignment" "gitlab_data" {
  scope                = azurerm_storage_container.dvc.id
  role_definition_name = "Storage Blob Data Reader"
  principal_id         = azurerm_user_assigned_identity.gitlab.principal_id
}

resource "azurerm_role_assignment" "gitlab_training" {
  scope                = azurerm_machine_learning_workspace.training.id
  role_definition_name = "AzureML Data Scientist"
  principal_id         = azurerm_user_assigned_identity.gitlab.principal_id
}
{%- if cookiecutter.docker %}

resource "azurerm_role_assignment" "gitlab_images" {
  scope                = azurerm_container_registry.images.id
  role_definition_name = "AcrPush"
  principal_id         = azurerm_user_assigned_identity.gitlab.principal_id
}
{%- else %}

# A job's code is uploaded there
resource "azurerm_role_assignment" "gitlab_jobs" {
  scope                = azurerm_storage_account.jobs.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_user_assigned_identity.gitlab.principal_id
}
{%- endif %}
{%- if cookiecutter.__deploys %}

resource "azurerm_role_definition" "deploy" {
  name        = "${local.unique} deploy"
  scope       = azurerm_resource_group.project.id
  description = "Changes the image of a service that is there."

  permissions {
    actions = [
      "Microsoft.App/containerApps/read",
      "Microsoft.App/containerApps/write",
    ]
  }
}

resource "azurerm_role_assignment" "gitlab_service" {
  count = var.service ? 1 : 0

  scope              = azurerm_container_app.service[0].id
  role_definition_id = azurerm_role_definition.deploy.role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.gitlab.principal_id
}
{%- endif %}
{%- if cookiecutter.__deploys %}

locals {
  pipelines = {
    AZURE_CLIENT_ID       = azurerm_user_assigned_identity.gitlab.client_id
    AZURE_TENANT_ID       = data.azurerm_client_config.current.tenant_id
    AZURE_SUBSCRIPTION_ID = var.subscription_id
    AZURE_LOCATION        = var.location
    AZURE_UNIQUE          = var.unique
  }
  # Staging has variables of its environment only
  production = var.environment == "production"
}

output "ci_variables" {
  description = "Variables of the project's pipelines on GitLab."
  value       = { for name, value in local.pipelines : name => value if local.production }
}

output "ci_environments" {
  description = "Variables of one environment of them."
  value       = { for name in [var.environment] : name => local.pipelines if !local.production }
}
{%- else %}

output "ci_variables" {
  description = "Variables of the project's pipelines on GitLab."
  value = {
    AZURE_CLIENT_ID       = azurerm_user_assigned_identity.gitlab.client_id
    AZURE_TENANT_ID       = data.azurerm_client_config.current.tenant_id
    AZURE_SUBSCRIPTION_ID = var.subscription_id
    AZURE_LOCATION        = var.location
  }
}
{%- endif %}
