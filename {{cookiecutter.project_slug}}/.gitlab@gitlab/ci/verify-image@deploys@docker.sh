#!/bin/bash
# Refuse an image that no pipeline of main has built: only images of public projects on GitLab.com are signed
set -eu

if [ "$CI_PROJECT_VISIBILITY $CI_SERVER_HOST" != "public gitlab.com" ]; then
  exit
fi
docker cp "$(docker create gcr.io/projectsigstore/cosign:v3.1.3@sha256:9e5c2f2edc34351160407ca3416c61855bdf9403c3c5936e0f0be7fc261611b8)":/ko-app/cosign /usr/local/bin/cosign
pipeline=.gitlab-ci.yml
cosign verify "$1" --output text --certificate-oidc-issuer https://gitlab.com \
  --certificate-identity "$CI_PROJECT_URL//$pipeline@refs/heads/$CI_DEFAULT_BRANCH"
