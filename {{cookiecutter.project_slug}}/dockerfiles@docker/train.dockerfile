FROM python:{{ cookiecutter.python_version }}-slim-trixie AS base


FROM base AS build
COPY --from=ghcr.io/astral-sh/uv:0.13.8 /uv /usr/local/bin/
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
{%- if cookiecutter.environment == "uv" %}
    UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_PYTHON_DOWNLOADS=never

# Where PyTorch comes from, if not from the index that pyproject.toml names
ARG TORCH_INDEX=""

WORKDIR /build
COPY pyproject.toml uv.loc[k] ./
RUN --mount=type=cache,target=/root/.cache/uv \
    if [ -n "$TORCH_INDEX" ]; then sed -i "s|^url = .*|url = \"$TORCH_INDEX\"|" pyproject.toml; fi \
    && uv sync --no-default-groups --no-install-project
{%- else %}
    UV_PYTHON_DOWNLOADS=never \
    VIRTUAL_ENV=/opt/venv

# Where PyTorch comes from: for an NVIDIA GPU, put its version in place of `cpu`, such as `cu130`
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

WORKDIR /build
COPY pyproject.toml ./
# The second install keeps the build that the first one chose
RUN --mount=type=cache,target=/root/.cache/uv \
    uv venv "$VIRTUAL_ENV" \
    && uv pip install --no-deps --default-index "$TORCH_INDEX" "torch>=2.8" \
    && uv pip install --requirements pyproject.toml
{%- endif %}


FROM base
# What runs installs nothing: scanners find old copies in these
RUN python -m pip uninstall --quiet --yes --root-user-action=ignore pip setuptools wheel

LABEL org.opencontainers.image.title={{ cookiecutter.__quoted_name | replace("$", "\\$") }} \
      org.opencontainers.image.description={{ cookiecutter.__quoted_description | replace("$", "\\$") }} \
      org.opencontainers.image.source="{{ cookiecutter.__repository }}"

# HOME and USER: whichever user runs it needs no entry in /etc/passwd
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app/src \
    PYTHONUNBUFFERED=1 \
{%- if cookiecutter.tracker == "wandb" %}
    WANDB_CACHE_DIR=/tmp/wandb \
    WANDB_DATA_DIR=/app/outputs/wandb \
{%- elif cookiecutter.tracker == "mlflow" %}
    GIT_PYTHON_REFRESH=quiet \
    MLFLOW_TRACKING_URI=sqlite:////app/outputs/mlflow.db \
    _MLFLOW_SERVER_ARTIFACT_ROOT=/app/outputs/mlruns \
{%- endif %}
    HOME=/tmp \
    USER=app

WORKDIR /app
# Whatever is mounted here belongs to its own user; without a mount, anyone may write
{%- if cookiecutter.tracker == "mlflow" %}
RUN install --directory --mode=1777 data models outputs /mlflow
{%- else %}
RUN install --directory --mode=1777 data models outputs
{%- endif %}
COPY --from=build /opt/venv /opt/venv
COPY --chmod=755 configs configs
COPY --chmod=755 src src

# Checkpoints name the source that they were trained from
ARG SOURCE_COMMIT=""
ENV SOURCE_COMMIT=$SOURCE_COMMIT
LABEL org.opencontainers.image.revision=$SOURCE_COMMIT

{%- if cookiecutter.cloud in ["aws", "gcp"] %}
{%- if cookiecutter.cloud == "aws" %}
# SageMaker hands its folders to root, 0:0
{%- else %}
# Vertex AI mounts the bucket for root, 0:0
{%- endif %}
ARG RUN_AS=1000:1000
USER $RUN_AS
{%- else %}
USER 1000:1000
{%- endif %}
# As Ctrl-C: training saves what it has and stops
STOPSIGNAL SIGINT
ENTRYPOINT ["python", "-m", "{{ cookiecutter.project_slug }}", "train"]
