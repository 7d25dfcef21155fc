FROM python:{{ cookiecutter.python_version }}-slim-trixie AS base


FROM base AS build
COPY --from=ghcr.io/astral-sh/uv:0.13.8 /uv /usr/local/bin/
{%- if cookiecutter.serving == "fastapi" %}
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
{%- else %}
ENV UV_LINK_MODE=copy \
{%- endif %}
{%- if cookiecutter.environment == "uv" %}
    UV_PROJECT_ENVIRONMENT=/opt/venv \
{%- endif %}
    UV_PYTHON_DOWNLOADS=never \
    VIRTUAL_ENV=/opt/venv
{%- if not cookiecutter.onnx_export %}

# Where PyTorch comes from: its CPU build is a twentieth of the size of the one for GPUs
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
{%- endif %}

WORKDIR /build
{%- if cookiecutter.environment == "uv" %}
COPY pyproject.toml uv.loc[k] ./
{%- if cookiecutter.onnx_export %}
# Deleted are a library that ONNX Runtime's own module holds once more, and what tests packages
RUN --mount=type=cache,target=/root/.cache/uv \
    if [ -f uv.lock ]; then uv sync --frozen --only-group lambda; \
    else uv venv "$VIRTUAL_ENV" && uv pip install --group lambda; fi \
    && find "$VIRTUAL_ENV" -name "libonnxruntime.so*" -delete \
    && find "$VIRTUAL_ENV" -type d -name tests -prune -exec rm -r {} +
{%- else %}
RUN --mount=type=cache,target=/root/.cache/uv \
    sed -i "s|^url = .*|url = \"$TORCH_INDEX\"|" pyproject.toml \
    && uv sync --only-group lambda
{%- endif %}
{%- else %}
COPY pyproject.toml ./
{%- if cookiecutter.onnx_export %}
# Deleted are a library that ONNX Runtime's own module holds once more, and what tests packages
RUN --mount=type=cache,target=/root/.cache/uv \
    uv venv "$VIRTUAL_ENV" \
    && uv pip install --group lambda \
    && find "$VIRTUAL_ENV" -name "libonnxruntime.so*" -delete \
    && find "$VIRTUAL_ENV" -type d -name tests -prune -exec rm -r {} +
{%- else %}
# The second install keeps the build that the first one chose
RUN --mount=type=cache,target=/root/.cache/uv \
    uv venv "$VIRTUAL_ENV" \
    && uv pip install --no-deps --default-index "$TORCH_INDEX" "torch>=2.8" \
    && uv pip install --group lambda
{%- endif %}
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
    HOME=/tmp \
    USER=app

WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY --chmod=755 src src
{%- if cookiecutter.serving == "bentoml" %}
# Bytecode of what is imported: that of everything is 25 MB more, and without any it starts slowly
RUN --mount=type=tmpfs,target=/tmp \
    python -c "from {{ cookiecutter.project_slug }}.serving import api, bento; bento.service.to_asgi()"
{%- endif %}
{%- if cookiecutter.onnx_export %}
# `{{ cookiecutter.project_slug }} train` and then `{{ cookiecutter.project_slug }} export` write it
COPY --chmod=644 models/model.onnx models/
{%- else %}
# `{{ cookiecutter.project_slug }} train` writes it
COPY --chmod=644 models/model.ckpt models/
{%- endif %}

ARG SOURCE_COMMIT=""
LABEL org.opencontainers.image.revision=$SOURCE_COMMIT

USER 1000:1000
ENTRYPOINT ["python", "-m", "awslambdaric"]
CMD ["{{ cookiecutter.project_slug }}.serving.aws_lambda.handler"]
