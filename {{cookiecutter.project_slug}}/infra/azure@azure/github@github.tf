# Jobs log in with the token that GitHub signs for each of them. Azure compares nothing but a token's subject,
# letter by letter: docs/azure.md has the command that lets GitHub write these
locals {
  # Whoever registers the names anew gets other numbers
  repository = "repository_owner_id:${var.github_owner_id}:repository_id:${var.github_repository_id}"

  subjects = {
    main              = { identity = "data", subject = "${local.repository}:ref:refs/heads/main:ref_protected:true" }
    main_unprotected  = { identity = "data", subject = "${local.repository}:ref:refs/heads/main:ref_protected:false" }
    pull_request      = { identity = "data", subject = "${local.repository}:pull_request:ref_protected:false" }
    evaluation        = { identity = "data", subject = "${local.repository}:environment:evaluation:ref_protected:true" }
    evaluation_branch = { identity = "data", subject = "${local.repository}:environment:evaluation:ref_protected:false" }
    # More needs a protected branch
    training = { identity = "training", subject = "${local.repository}:environment:training:ref_protected:true" }
{%- if cookiecutter.__deploys %}

    (var.environment) = { identity = var.environment, subject = "${local.repository}:environment:${var.environment}:ref_protected:true" }
{%- endif %}
  }
}

resource "azurerm_user_assigned_identity" "github" {
  for_each = toset(values(local.subjects)[*].identity)

  name                = "${local.name}-github-${each.key}"
  resource_group_name = azurerm_resource_group.project.name
  location            = azurerm_resource_group.project.location
}

resource "azurerm_federated_identity_credential" "github" {
  for_each = local.subjects

  name                      = "github-${each.key}"
  user_assigned_identity_id = azurerm_user_assigned_identity.github[each.value.identity].id
  issuer                    = "https://token.actions.githubusercontent.com"
  audience                  = ["api://AzureADTokenExchange"]
  subject                   = each.value.subject
}

resource "azurerm_role_assignment" "github_data" {
  scope                = azurerm_storage_container.dvc.id
  role_definition_name = "Storage Blob Data Reader"
  principal_id         = azurerm_user_assigned_identity.github["data"].principal_id
}

resource "azurerm_role_assignment" "github_training" {
  scope                = azurerm_machine_learning_workspace.training.id
  role_definition_name = "AzureML Data Scientist"
  principal_id         = azurerm_user_assigned_identity.github["training"].principal_id
}
{%- if cookiecutter.docker %}

resource "azurerm_role_assignment" "github_images" {
{%- if cookiecutter.__deploys %}
  for_each = toset(["training", var.environment])
{%- else %}
  for_each = toset(["training"])
{%- endif %}

  scope                = azurerm_container_registry.images.id
  role_definition_name = "AcrPush"
  principal_id         = azurerm_user_assigned_identity.github[each.key].principal_id
}
{%- else %}

# A job's code is uploaded there
resource "azurerm_role_assignment" "github_jobs" {
  scope                = azurerm_storage_account.jobs.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_user_assigned_identity.github["training"].principal_id
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

resource "azurerm_role_assignment" "github_service" {
  count = var.service ? 1 : 0

  scope              = azurerm_container_app.service[0].id
  role_definition_id = azurerm_role_definition.deploy.role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.github[var.environment].principal_id
}
{%- endif %}
{%- if cookiecutter.__deploys %}

locals {
  pipelines = {
    AZURE_CLIENT_ID       = azurerm_user_assigned_identity.github["data"].client_id
    AZURE_TENANT_ID       = data.azurerm_client_config.current.tenant_id
    AZURE_SUBSCRIPTION_ID = var.subscription_id
    AZURE_LOCATION        = var.location
    AZURE_UNIQUE          = var.unique
  }
  # Staging has variables of its environment only
  production = var.environment == "production"
}

output "ci_variables" {
  description = "Variables of the repository on GitHub."
  value       = { for name, value in local.pipelines : name => value if local.production }
}

output "ci_environments" {
  description = "Variables of the repository's environments, which take the place of those of the repository."
  value = {
    for name, identity in azurerm_user_assigned_identity.github : name => merge(
      { for name, value in local.pipelines : name => value if !local.production },
      { AZURE_CLIENT_ID = identity.client_id },
    ) if name != "data" && (local.production || name == var.environment)
  }
}
{%- else %}

output "ci_variables" {
  description = "Variables of the repository on GitHub."
  value = {
    AZURE_CLIENT_ID       = azurerm_user_assigned_identity.github["data"].client_id
    AZURE_TENANT_ID       = data.azurerm_client_config.current.tenant_id
    AZURE_SUBSCRIPTION_ID = var.subscription_id
    AZURE_LOCATION        = var.location
  }
}

output "ci_environments" {
  description = "Variables of the repository's environments, which take the place of those of the repository."
  value = {
    for name, identity in azurerm_user_assigned_identity.github :
    name => { AZURE_CLIENT_ID = identity.client_id } if name != "data"
  }
}
{%- endif %}
