FROM python:{{ cookiecutter.python_version }}-slim-trixie AS base


FROM base AS build
COPY --from=ghcr.io/astral-sh/uv:0.13.8 /uv /usr/local/bin/
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
{%- if cookiecutter.environment == "uv" %}
    UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_PYTHON_DOWNLOADS=never

# An index of PyTorch to use in place of the one in pyproject.toml
ARG TORCH_INDEX=""

WORKDIR /build
COPY pyproject.toml uv.loc[k] ./
RUN --mount=type=cache,target=/root/.cache/uv \
    if [ -n "$TORCH_INDEX" ]; then sed -i "s|^url = .*|url = \"$TORCH_INDEX\"|" pyproject.toml; fi \
    && uv sync --no-default-groups --no-install-project
{%- else %}
    UV_PYTHON_DOWNLOADS=never \
    VIRTUAL_ENV=/opt/venv

# The index of PyTorch: for an NVIDIA GPU, put a CUDA version in place of `cpu`, such as `cu130`
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
# Scanners find old packages inside pip and setuptools; training needs neither
RUN python -m pip uninstall --quiet --yes --root-user-action=ignore pip setuptools wheel

LABEL org.opencontainers.image.title={{ cookiecutter.__quoted_name | replace("$", "\\$") }} \
      org.opencontainers.image.description={{ cookiecutter.__quoted_description | replace("$", "\\$") }} \
      org.opencontainers.image.source="{{ cookiecutter.__repository }}"

# HOME and USER: a user without an entry in /etc/passwd can run it
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
# A mounted folder keeps its owner; without a mount, any user may write
RUN install --directory --mode=1777 data models outputs
COPY --from=build /opt/venv /opt/venv
COPY --chmod=755 configs configs
COPY --chmod=755 src src

# Training writes this commit into its checkpoints
ARG SOURCE_COMMIT=""
ENV SOURCE_COMMIT=$SOURCE_COMMIT
LABEL org.opencontainers.image.revision=$SOURCE_COMMIT

{%- if cookiecutter.cloud in ["aws", "gcp"] %}
# For jobs in the cloud, which gives their folders to root: 0:0
ARG RUN_AS=1000:1000
USER $RUN_AS
{%- else %}
USER 1000:1000
{%- endif %}
# Like Ctrl-C: training saves a checkpoint and stops
STOPSIGNAL SIGINT
ENTRYPOINT ["python", "-m", "{{ cookiecutter.project_slug }}", "train"]
