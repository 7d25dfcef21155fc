#!/usr/bin/env bash
# Set the variables of the workflows to Terraform's outputs, and make the environments that have some: `main` alone may
# run in them. An environment that is there keeps its rules. It needs gh, logged in, and jq; repeat it at any time.
set -euo pipefail
cd "$(dirname "$0")/{{ cookiecutter.cloud }}"

set_variables() { # to the lines NAME=VALUE that it reads
  gh variable set "$@" --env-file -
}

outputs=$(terraform output -json)
[ "$outputs" != "{}" ] || { echo "Terraform has no outputs yet: apply it first" >&2; exit 2; }
variables=$(jq --raw-output '.ci_variables.value | to_entries[] | "\(.key)=\(.value)"' <<< "$outputs")
[ -z "$variables" ] || set_variables <<< "$variables" # staging has none but its environment's

for environment in $(jq --raw-output '.ci_environments.value | keys[]' <<< "$outputs"); do
  path="repos/{owner}/{repo}/environments/$environment"
  if ! gh api --silent "$path" 2> /dev/null; then
    gh api --silent --method PUT "$path" \
      --field 'deployment_branch_policy[protected_branches]=false' \
      --field 'deployment_branch_policy[custom_branch_policies]=true'
    gh api --silent --method POST "$path/deployment-branch-policies" --raw-field name=main
  fi
  jq --raw-output ".ci_environments.value.$environment"' | to_entries[] | "\(.key)=\(.value)"' <<< "$outputs" \
    | set_variables --env "$environment"
done
