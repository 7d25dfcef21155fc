FROM python:{{ cookiecutter.python_version }}-slim-trixie AS base


FROM base AS build
COPY --from=ghcr.io/astral-sh/uv:0.13.8 /uv /usr/local/bin/
ENV UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    VIRTUAL_ENV=/opt/venv
{%- if cookiecutter.serving == "fastapi" %}
ENV UV_COMPILE_BYTECODE=1
{%- endif %}

WORKDIR /build
{%- if cookiecutter.environment == "uv" and cookiecutter.onnx_export %}
COPY pyproject.toml uv.loc[k] ./
# Delete a second copy of ONNX Runtime's library, and the packages' own tests
RUN --mount=type=cache,target=/root/.cache/uv \
    if [ -f uv.lock ]; \
    then UV_PROJECT_ENVIRONMENT="$VIRTUAL_ENV" uv sync --frozen --only-group lambda; \
    else uv venv "$VIRTUAL_ENV" && uv pip install --group lambda; fi \
    && find "$VIRTUAL_ENV" -name "libonnxruntime.so*" -delete \
    && find "$VIRTUAL_ENV" -type d -name tests -prune -exec rm -r {} +
{%- elif cookiecutter.environment == "uv" %}
COPY pyproject.toml uv.loc[k] ./
# The index of PyTorch: its CPU build is a twentieth of the size of the one for GPUs
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN --mount=type=cache,target=/root/.cache/uv \
    sed -i "s|^url = .*|url = \"$TORCH_INDEX\"|" pyproject.toml \
    && UV_PROJECT_ENVIRONMENT="$VIRTUAL_ENV" uv sync --only-group lambda
{%- elif cookiecutter.onnx_export %}
COPY pyproject.toml ./
# Delete a second copy of ONNX Runtime's library, and the packages' own tests
RUN --mount=type=cache,target=/root/.cache/uv \
    uv venv "$VIRTUAL_ENV" \
    && uv pip install --group lambda \
    && find "$VIRTUAL_ENV" -name "libonnxruntime.so*" -delete \
    && find "$VIRTUAL_ENV" -type d -name tests -prune -exec rm -r {} +
{%- else %}
COPY pyproject.toml ./
# The index of PyTorch: its CPU build is a twentieth of the size of the one for GPUs
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# The second install keeps the build that the first one chose
RUN --mount=type=cache,target=/root/.cache/uv \
    uv venv "$VIRTUAL_ENV" \
    && uv pip install --no-deps --default-index "$TORCH_INDEX" "torch>=2.8" \
    && uv pip install --group lambda
{%- endif %}


FROM base
# Scanners find old packages inside pip and setuptools; the service needs neither
RUN python -m pip uninstall --quiet --yes --root-user-action=ignore pip setuptools wheel

LABEL org.opencontainers.image.title={{ cookiecutter.__quoted_name | replace("$", "\\$") }} \
      org.opencontainers.image.description={{ cookiecutter.__quoted_description | replace("$", "\\$") }} \
      org.opencontainers.image.source="{{ cookiecutter.__repository }}"

# HOME and USER: a user without an entry in /etc/passwd can run it
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app/src \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    USER=app

WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY --chmod=755 src src
{%- if cookiecutter.serving == "bentoml" %}
# Compile only the imported modules: without bytecode it starts slowly, with all of it is 25 MB larger
RUN --mount=type=tmpfs,target=/tmp \
    python -c "from {{ cookiecutter.project_slug }}.serving import api, bento; bento.service.to_asgi()"
{%- endif %}
# `{{ cookiecutter.project_slug }} {{ cookiecutter.__model_stage }}` writes it
COPY --chmod=644 {{ cookiecutter.__model_file }} models/

ARG SOURCE_COMMIT=""
LABEL org.opencontainers.image.revision=$SOURCE_COMMIT

USER 1000:1000
ENTRYPOINT ["python", "-m", "awslambdaric"]
CMD ["{{ cookiecutter.project_slug }}.serving.aws_lambda.handler"]
