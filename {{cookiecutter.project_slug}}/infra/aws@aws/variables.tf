variable "alert_email" {
  description = "Who is told of costs and of trouble"
  type        = string
}

variable "bucket" {
  description = "Bucket for data and training jobs; src/{{ cookiecutter.project_slug }}/cloud/provider.py and .dvc/config name it too"
  type        = string
  default     = "{{ cookiecutter.__bucket }}"
}

variable "budget" {
  description = "US dollars a month that the account is expected to cost at most"
  type        = number
  default     = 20
}

variable "disposable" {
  description = "Whether `destroy` also deletes what is stored"
  type        = bool
  default     = false
}
{%- if cookiecutter.ci != "none" and cookiecutter.__deploys %}

variable "environment" {
  description = "Environment of the pipelines that deploys here"
  type        = string
  default     = "production"

  validation {
    condition     = terraform.workspace == lookup({ production = "default", staging = "staging" }, var.environment, "")
    error_message = "It is production in the workspace default, and staging in the workspace staging: docs/aws.md says more."
  }
}
{%- endif %}
{%- if cookiecutter.ci == "github" %}

variable "github_owner_id" {
  description = "Number that GitHub gave the repository's owner; docs/aws.md says how to ask for it"
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
  description = "Number that GitLab gave the project's group or user; docs/aws.md says how to ask for it"
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

variable "oidc_provider" {
  description = "ARN of the account's identity provider for the pipelines, if it has one already"
  type        = string
  default     = null
}
{%- endif %}
{%- if cookiecutter.__deploys %}

variable "public" {
  description = "Whether anyone may ask the service; otherwise requests are signed by an identity of this account"
  type        = bool
  default     = false
}

variable "service" {
  description = "Whether the service runs: its first image has to be pushed before"
  type        = bool
  default     = false
}

variable "service_settings" {
  description = "Settings of the service, such as { SERVE_MAX_BATCH = \"16\" }; docs/serving.md lists them"
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.service_settings) : can(regex("^SERVE_[A-Z_]+$", name))])
    error_message = "Each name begins with SERVE_, such as SERVE_MAX_BATCH."
  }

  validation {
    condition     = try(tonumber(var.service_settings["SERVE_MAX_BODY"]), 0) <= 6000000
    error_message = "SERVE_MAX_BODY is at most 6000000: Lambda takes no more."
  }
}
{%- endif %}
