variable "subscription_id" {
  description = "Subscription in which everything is made."
  type        = string
}

variable "location" {
  description = "Azure region, such as westeurope."
  type        = string
}

{%- if cookiecutter.ci == "github" %}

variable "repository" {
  description = "What GitHub calls the repository in the tokens that it signs; docs/azure.md says how to ask for it."
  type        = string

  validation {
    condition     = startswith(var.repository, "repo:")
    error_message = "It starts with repo:, as in repo:owner@1/name@2."
  }
}
{%- endif %}

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

variable "max_replicas" {
  description = "Copies of the service at most. Without requests there is none."
  type        = number
  default     = 3
}
{%- endif %}
