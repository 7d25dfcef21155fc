#!/usr/bin/env bash
# Set the variables of the pipelines to Terraform's outputs: those of an environment have it as their scope.
# It needs glab, logged in, and jq; repeat it at any time.
set -euo pipefail
cd "$(dirname "$0")/{{ cookiecutter.cloud }}"

outputs=$(terraform output -json)
[ "$outputs" != "{}" ] || { echo "Terraform has no outputs yet: apply it first" >&2; exit 2; }

# Lines of scope, name and value
jq --raw-output '
  {"*": .ci_variables.value} + (.ci_environments.value // {})
  | to_entries[] | .key as $scope | .value | to_entries[] | [$scope, .key, .value] | @tsv
' <<< "$outputs" | while IFS=$'\t' read -r scope name value; do
  glab variable update "$name" "$value" --scope "$scope" < /dev/null > /dev/null 2>&1 \
    || glab variable set "$name" "$value" --scope "$scope" < /dev/null
done
