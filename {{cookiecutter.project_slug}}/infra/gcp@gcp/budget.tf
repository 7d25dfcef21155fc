# Mail when half of the budget is spent, when all of it is, and when it will be by the month's end.
# Nothing is stopped.
resource "google_billing_budget" "this" {
  count = var.billing_account == "" ? 0 : 1

  billing_account = var.billing_account
  display_name    = local.name

  budget_filter {
    projects = ["projects/${data.google_project.this.number}"]
  }

  amount {
    specified_amount {
      units = var.budget
    }
  }

  threshold_rules {
    threshold_percent = 0.5
  }
  threshold_rules {
    threshold_percent = 1.0
  }
  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.email.id]
  }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_notification_channel" "email" {
  display_name = local.name
  type         = "email"
  labels = {
    email_address = var.email
  }
  depends_on = [google_project_service.this]
}

data "google_project" "this" {
  project_id = var.project
}
