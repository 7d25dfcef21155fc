resource "azurerm_monitor_action_group" "mail" {
  name                = "${local.name}-mail"
  resource_group_name = azurerm_resource_group.project.name
  short_name          = substr(local.name, 0, 12)

  email_receiver {
    name                    = "mail"
    email_address           = var.alert_email
    use_common_alert_schema = true
  }
}

resource "azurerm_monitor_metric_alert" "errors" {
  count = var.service ? 1 : 0

  name                = "${local.name}-errors"
  resource_group_name = azurerm_resource_group.project.name
  scopes              = [azurerm_container_app.service[0].id]
  description         = "More than 5 answers within 5 minutes had a status of 500 or more."
  severity            = 1
  frequency           = "PT1M"
  window_size         = "PT5M"

  criteria {
    metric_namespace = "Microsoft.App/containerApps"
    metric_name      = "Requests"
    aggregation      = "Total"
    operator         = "GreaterThan"
    threshold        = 5

    dimension {
      name     = "statusCodeCategory"
      operator = "Include"
      values   = ["5xx"]
    }
  }

  action {
    action_group_id = azurerm_monitor_action_group.mail.id
  }
}

resource "azurerm_monitor_metric_alert" "latency" {
  count = var.service ? 1 : 0

  name                = "${local.name}-latency"
  resource_group_name = azurerm_resource_group.project.name
  scopes              = [azurerm_container_app.service[0].id]
  description         = "Answers took longer than a second, on average of 15 minutes."
  severity            = 2
  frequency           = "PT5M"
  window_size         = "PT15M"

  criteria {
    metric_namespace = "Microsoft.App/containerApps"
    metric_name      = "ResponseTime"
    aggregation      = "Average"
    operator         = "GreaterThan"
    threshold        = 1000
  }

  action {
    action_group_id = azurerm_monitor_action_group.mail.id
  }
}
