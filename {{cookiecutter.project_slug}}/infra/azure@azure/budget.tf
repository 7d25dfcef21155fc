resource "azurerm_consumption_budget_resource_group" "month" {
  name              = "${local.name}-month"
  resource_group_id = azurerm_resource_group.project.id
  amount            = var.monthly_budget
  time_grain        = "Monthly"

  time_period {
    start_date = formatdate("YYYY-MM-01'T'00:00:00'Z'", plantimestamp())
  }

  notification {
    operator       = "GreaterThan"
    threshold      = 80
    contact_emails = [var.alert_email]
  }

  notification {
    operator       = "GreaterThan"
    threshold      = 100
    threshold_type = "Forecasted"
    contact_emails = [var.alert_email]
  }

  lifecycle {
    # The month of the first apply
    ignore_changes = [time_period]
  }
}
