variable "project" {
  description = "Google Cloud project that everything belongs to: its id"
  type        = string
}

variable "region" {
  description = "Region of everything that has one, such as europe-west4"
  type        = string
}

variable "bucket" {
  description = "Name of the bucket, unique among all of Google Cloud; cloud/provider.py and .dvc/config name it too"
  type        = string
  default     = "{{ cookiecutter.__bucket }}"
}
{%- if cookiecutter.ci == "github" %}

variable "github_owner_id" {
  description = "Number that GitHub gave the repository's owner; docs/gcp.md says how to ask for it"
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.github_owner_id))
    error_message = "It holds digits only, such as 123456789."
  }
}

variable "github_repository_id" {
  description = "Number that GitHub gave the repository"
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.github_repository_id))
    error_message = "It holds digits only, such as 123456789."
  }
}
{%- elif cookiecutter.ci == "gitlab" %}

variable "gitlab_namespace_id" {
  description = "Number that GitLab gave the project's group or user; docs/gcp.md says how to ask for it"
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.gitlab_namespace_id))
    error_message = "It holds digits only, such as 123456789."
  }
}

variable "gitlab_project_id" {
  description = "Number that GitLab gave the project"
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.gitlab_project_id))
    error_message = "It holds digits only, such as 123456789."
  }
}
{%- endif %}
{%- if cookiecutter.ci != "none" %}

variable "pool" {
  description = "Id of the workload identity pool: the id of a deleted one stays taken for 30 days"
  type        = string
  default     = "{{ cookiecutter.ci }}-{{ cookiecutter.__cloud_name[:25].rstrip('-') }}"
}
{%- endif %}
{%- if cookiecutter.ci != "none" and cookiecutter.__deploys %}

variable "environment" {
  description = "Environment of the pipelines that deploys here"
  type        = string
  default     = "production"

  validation {
    condition     = terraform.workspace == lookup({ production = "default", staging = "staging" }, var.environment, "")
    error_message = "It is production in the workspace default, and staging in the workspace staging: docs/gcp.md says more."
  }
}
{%- endif %}

variable "email" {
  description = "Who hears of alerts and of the budget"
  type        = string
  default     = "{{ cookiecutter.author_email }}"
}

variable "billing_account" {
  description = "Id of the billing account, to watch what the project costs; without it there is no budget"
  type        = string
  default     = ""
}

variable "budget" {
  description = "What a month may cost, in the currency of the billing account"
  type        = number
  default     = 20
}
{%- if cookiecutter.serving != "none" %}
{%- if not cookiecutter.docker %}

variable "service" {
  description = "Manage who may call the function: possible once it has been deployed"
  type        = bool
  default     = false
}
{%- endif %}

variable "public" {
  description = "Let anyone call the service, without an identity"
  type        = bool
  default     = false
}

variable "callers" {
  description = "Who may call the service besides the project's owners: members such as user:ada@example.com"
  type        = list(string)
  default     = []
}
{%- endif %}
{%- if cookiecutter.serving != "none" and cookiecutter.docker %}

variable "min_instances" {
  description = "Copies of the service at least, also without requests: these are paid for"
  type        = number
  default     = 0
}

variable "service_settings" {
  description = "Settings of the service, such as { SERVE_MAX_BATCH = \"16\" }; docs/serving.md lists them"
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.service_settings) : can(regex("^SERVE_[A-Z_]+$", name))])
    error_message = "Each name begins with SERVE_, such as SERVE_MAX_BATCH."
  }
}

variable "service_keys" {
  description = "Whether the service asks for keys; docs/gcp.md says how to write their list before"
  type        = bool
  default     = false
}
{%- endif %}
