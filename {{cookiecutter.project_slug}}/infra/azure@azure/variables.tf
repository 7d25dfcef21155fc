variable "subscription_id" {
  description = "Subscription in which everything is made."
  type        = string
}

variable "location" {
  description = "Azure region, such as westeurope."
  type        = string
}
{%- if cookiecutter.ci == "github" %}

variable "github_owner_id" {
  description = "Number that GitHub gave the repository's owner; docs/azure.md says how to ask for it."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.github_owner_id))
    error_message = "It holds digits only, such as 123456789."
  }
}

variable "github_repository_id" {
  description = "Number that GitHub gave the repository."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.github_repository_id))
    error_message = "It holds digits only, such as 123456789."
  }
}
{%- elif cookiecutter.ci == "gitlab" %}

variable "gitlab_project_id" {
  description = "Number that GitLab gave the project; docs/azure.md says how to ask for it."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.gitlab_project_id))
    error_message = "It holds digits only, such as 123456789."
  }
}
{%- endif %}
{%- if cookiecutter.ci != "none" and cookiecutter.__deploys %}

variable "environment" {
  description = "Environment of the pipelines that deploys here."
  type        = string
  default     = "production"

  validation {
    condition     = terraform.workspace == lookup({ production = "default", staging = "staging" }, var.environment, "")
    error_message = "It is production in the workspace default, and staging in the workspace staging: docs/azure.md says more."
  }
}
{%- endif %}

variable "unique" {
  description = "Part of the names that must be unique in all of Azure. It stands in .dvc/config and src/{{ cookiecutter.project_slug }}/cloud/provider.py too."
  type        = string
  default     = "{{ cookiecutter.__azure_unique }}"

  validation {
    condition     = can(regex("^[a-z0-9]{1,20}$", var.unique))
    error_message = "It has at most 20 lower-case letters and digits."
  }
}

variable "people" {
  description = "Object IDs of users and groups that may change data and start jobs, besides whoever applies this."
  type        = list(string)
  default     = []
}

variable "alert_email" {
  description = "Address that alerts go to."
  type        = string
  default     = "{{ cookiecutter.author_email | replace('${', '$${') | replace('%{', '%%{') }}"
}

variable "monthly_budget" {
  description = "Amount, in the subscription's currency, near which an e-mail is sent. Nothing is stopped."
  type        = number
  default     = 20
}

variable "cpu_size" {
  description = "Size of the machines that train without a GPU."
  type        = string
  default     = "Standard_DS3_v2"
}

variable "gpu_size" {
  description = "Size of the machines that train on a GPU, such as Standard_NC4as_T4_v3. Null makes no such cluster."
  type        = string
  default     = null
}
{%- if cookiecutter.__deploys %}

variable "service" {
  description = "Whether the service runs; it needs an image first."
  type        = bool
  default     = false
}

variable "public" {
  description = "Whether anyone may ask the service, from any address."
  type        = bool
  default     = false
}

variable "callers" {
  description = "Names and IPv4 ranges of those who may ask it otherwise, such as { office = \"203.0.113.0/24\" }. Without any, only apps beside it may."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for range in values(var.callers) : can(cidrnetmask(range))])
    error_message = "Each is an IPv4 range, such as 203.0.113.0/24, or 203.0.113.7/32 for one address."
  }
}

variable "min_replicas" {
  description = "Copies of the service at least, also without requests: these are paid for."
  type        = number
  default     = 0
}

variable "max_replicas" {
  description = "Copies of the service at most."
  type        = number
  default     = 3
}

variable "service_settings" {
  description = "Settings of the service, such as { SERVE_MAX_BATCH = \"16\" }; docs/serving.md lists them."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.service_settings) : can(regex("^SERVE_[A-Z_]+$", name))])
    error_message = "Each name begins with SERVE_, such as SERVE_MAX_BATCH."
  }
}

variable "service_keys" {
  description = "Whether the service asks for keys; docs/azure.md says how to write their list before."
  type        = bool
  default     = false
}
{%- endif %}
