"""Refuse answers that would bake a broken project, before anything is written.

Every problem is one line: which answer, why, and an example of a good one.
"""

import json
import keyword
import re
import sys
import unicodedata

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")

# A package of one of these names would hide, or be hidden by, one that the project installs.
DEPENDENCIES = {
    "a2wsgi",
    "absl",
    "aiohappyeyeballs",
    "aiohttp",
    "aiohttp_asgi_connector",
    "aiosignal",
    "aiosqlite",
    "alembic",
    "annotated_doc",
    "annotated_types",
    "antlr4",
    "anyio",
    "asgiref",
    "attr",
    "attrs",
    "bentoml",
    "bentoml_cli",
    "bidict",
    "blinker",
    "brotli",
    "cattr",
    "cattrs",
    "certifi",
    "charset_normalizer",
    "circus",
    "click",
    "click_option_group",
    "cloudevents",
    "cloudpickle",
    "comet_ml",
    "configargparse",
    "contourpy",
    "coverage",
    "cycler",
    "dateutil",
    "dependency_groups",
    "deprecation",
    "dotenv",
    "dvc",
    "dvc_gs",
    "engineio",
    "fastapi",
    "filelock",
    "flask",
    "flask_cors",
    "flask_login",
    "flatbuffers",
    "frozenlist",
    "fsspec",
    "functions_framework",
    "functorch",
    "gcsfs",
    "gevent",
    "geventhttpclient",
    "git",
    "google",
    "graphql",
    "graphql_core",
    "greenlet",
    "grpc",
    "gunicorn",
    "h11",
    "harfile",
    "hatchling",
    "httpcore",
    "httptools",
    "httpx",
    "httpx_ws",
    "hydra",
    "hydra_core",
    "hydra_plugins",
    "hypothesis",
    "hypothesis_graphql",
    "idna",
    "iniconfig",
    "ipykernel",
    "isympy",
    "itsdangerous",
    "jinja2",
    "joblib",
    "jsonschema_rs",
    "jupyter",
    "jupyterlab",
    "kantoku",
    "kiwisolver",
    "lightning",
    "lightning_fabric",
    "lightning_utilities",
    "locust",
    "mangum",
    "markdown",
    "markdown_it",
    "markdown_it_py",
    "markupsafe",
    "matplotlib",
    "mdurl",
    "ml_dtypes",
    "mlflow",
    "mpl_toolkits",
    "mpmath",
    "msgpack",
    "multidict",
    "multipart",
    "mypy",
    "nbstripout",
    "networkx",
    "numpy",
    "nvidia_ml_py",
    "omegaconf",
    "onnx",
    "onnx_ir",
    "onnxruntime",
    "onnxscript",
    "opentelemetry",
    "opentelemetry_api",
    "opentelemetry_instrumentation",
    "opentelemetry_sdk",
    "opentelemetry_util_http",
    "packaging",
    "pandas",
    "pathspec",
    "pillow",
    "pip",
    "pip_requirements_parser",
    "platformdirs",
    "pluggy",
    "pre_commit",
    "prometheus_client",
    "propcache",
    "protobuf",
    "psutil",
    "py",
    "pydantic",
    "pydantic_core",
    "pydantic_settings",
    "pygments",
    "pylab",
    "pynvml",
    "pyparsing",
    "pyrate_limiter",
    "pytest",
    "pytest_cov",
    "pytest_locust",
    "python_dotenv",
    "python_engineio",
    "python_json_logger",
    "python_multipart",
    "python_socketio",
    "pythonjsonlogger",
    "pytorch_lightning",
    "pyyaml",
    "pyzmq",
    "requests",
    "rich",
    "rich_toolkit",
    "ruff",
    "schema",
    "schemathesis",
    "scikit_learn",
    "scipy",
    "setuptools",
    "simple_di",
    "simple_websocket",
    "six",
    "sklearn",
    "socketio",
    "sortedcontainers",
    "sqlalchemy",
    "starlette",
    "sympy",
    "tensorboard",
    "threadpoolctl",
    "tomli_w",
    "torch",
    "torchgen",
    "torchmetrics",
    "torchvision",
    "tornado",
    "tqdm",
    "triton",
    "typer",
    "typing_extensions",
    "typing_inspection",
    "tzdata",
    "urllib3",
    "uv",
    "uvicorn",
    "uvicorn_worker",
    "uvloop",
    "wandb",
    "watchdog",
    "watchfiles",
    "werkzeug",
    "wheel",
    "wrapt",
    "wsproto",
    "yaml",
    "yarl",
    "zensical",
    "zmq",
    "zope",
}
# Commands, a package of Python's own, and names that Windows keeps for devices
TAKEN = {"activate", "bash", "conda", "main", "mamba", "python", "python3", "pythonw", "sh", "test"}
TAKEN.update({"aux", "con", "nul", "prn"})
TAKEN.update(f"{device}{number}" for device in ("com", "lpt") for number in range(1, 10))
FOLDERS = {"configs", "data", "docs", "models", "notebooks", "outputs", "reports", "src", "tests"}


def slug_problem(slug: str) -> "str | None":  # noqa: PLR0911
    """Say why `slug` can't name a folder, a package and a command, if it can't."""
    if not slug:
        return "is empty"
    if len(slug) > 32:
        return "is longer than 32 characters"
    if slug[0].isdigit():
        return "starts with a digit"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug):
        return "may hold only lower-case ASCII letters, digits and _, and starts with a letter"
    if slug.endswith("_"):
        return "ends with _"
    if slug in TAKEN:
        return "is a command, or a name that Python or Windows keeps for itself"
    if keyword.iskeyword(slug) or slug in keyword.softkwlist:
        return "is a Python keyword"
    if slug in sys.stdlib_module_names:
        return "is a module of Python's standard library"
    if slug in DEPENDENCIES:
        return "is the name of a package that the project uses"
    if slug in FOLDERS:
        return "is the name of a folder in the project"
    return None


def text_problem(text: str) -> "str | None":
    """Say why `text` can't stand in TOML, YAML and Markdown, if it can't."""
    if not text.strip():
        return "is empty"
    if text != text.strip():
        return "starts or ends with a space"
    for character in text:
        joiner = character in "\u200c\u200d"  # they hold emoji and some scripts together
        hidden = unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and not joiner
        if hidden or ord(character) & 0xFFFE == 0xFFFE:
            return f"holds the control or invisible character U+{ord(character):04X}"
    return None


def problems() -> "list[str]":
    """List what is wrong with the answers, one line each."""
    found = []

    def refuse(name: str, answer: str, reason: str, example: str) -> None:
        found.append(f"{name} {answer!a} {reason}; a good one: {example}")

    slug = ANSWERS["__asked_slug"]
    if reason := slug_problem(slug):
        refuse("project_slug", slug, reason, "digit_reader")

    examples = {
        "project_name": "Digit Reader",
        "description": "Reads handwritten digits.",
        "author_name": "Ada Lovelace",
    }
    for name, example in examples.items():
        if reason := text_problem(ANSWERS[name]):
            refuse(name, ANSWERS[name], reason, example)

    email = ANSWERS["author_email"]
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", email):
        refuse("author_email", email, "is no e-mail address", "ada@example.com")

    owner = ANSWERS["repo_owner"]
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*", owner):
        refuse("repo_owner", owner, "is no user, organisation or group", "ada-lab")
    return found


if found := problems():
    sys.exit("\n".join(f"mlbake: {line}" for line in found))
